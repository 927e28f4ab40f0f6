"""A Python function over an array, called once for each distinct value."""

from collections.abc import Callable
from typing import Any

import pyarrow as pa

from td_mta.trino_on_datafusion.types import Kernel


def per_value(function: Callable[[Any], Any], output: pa.DataType) -> Kernel:
    """A kernel of one argument that applies a function of one Python value; NULL stays NULL."""

    def kernel(values: pa.Array) -> pa.Array:
        encoded = values.dictionary_encode()
        results = [function(value) for value in encoded.dictionary.to_pylist()]
        return pa.array(results, output).take(encoded.indices)

    return kernel
