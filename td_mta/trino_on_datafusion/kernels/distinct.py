"""Functions that are called once for each distinct value."""

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from td_mta.trino_on_datafusion.types import Kernel

_SAMPLE = 512  # texts that tell whether a column's texts repeat


def per_value(function: Callable[[Any], Any], output: pa.DataType) -> Kernel:
    """A kernel of one argument that applies a function of one Python value; NULL stays NULL."""

    def kernel(values: pa.Array) -> pa.Array:
        encoded = values.dictionary_encode()
        results = [function(value) for value in encoded.dictionary.to_pylist()]
        return pa.array(results, output).take(encoded.indices)

    return kernel


def each_once(kernel: Kernel) -> Kernel:
    """The kernel for texts that repeat, each distinct one once; for others, as it is."""

    def repeated(texts: pa.Array) -> pa.Array:
        if texts.null_count == len(texts):
            return texts
        if len(pc.unique(texts[:_SAMPLE])) > _SAMPLE // 8:
            return kernel(texts)
        encoded = texts.dictionary_encode()
        return kernel(encoded.dictionary).take(encoded.indices)

    return lambda texts: repeated(texts) if len(texts) > _SAMPLE else kernel(texts)
