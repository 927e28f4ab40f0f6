"""Maps that are constants."""

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from td_mta.trino_on_datafusion.types import Kernel


def lookup(pairs: list[tuple[Any, Any]], key: pa.DataType, value: pa.DataType) -> Kernel:
    """element_at(map, key): NULL where the map has no such key."""
    keys = pa.array([pair[0] for pair in pairs], key)
    values = pa.array([pair[1] for pair in pairs], value)
    return lambda wanted: values.take(pc.index_in(wanted, value_set=keys))
