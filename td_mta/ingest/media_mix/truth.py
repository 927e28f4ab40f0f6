"""The true values of a simulated world from a table, for the channels of the media table."""

from collections import Counter
from collections.abc import Sequence

from td_mta.config.mmm import MediaMixConfig
from td_mta.errors import DataError
from td_mta.ingest.beside.tables import joined
from td_mta.warehouse import Warehouse

TRUTH = ("channel", "parameter", "true_value")


def read(
    config: MediaMixConfig, warehouse: Warehouse, channels: Sequence[str]
) -> dict[tuple[str, str], float]:
    """By channel and parameter; empty without `truth_table`.

    Names that differ in letter case or separators are one channel where no other could be meant:
    Treasure Data writes names of columns in its own letters. Raises `DataError`.
    """
    if config.truth_table is None:
        return {}
    names = warehouse.columns(config.truth_table)
    if not set(TRUTH) <= set(names):
        raise DataError(
            f"truth_table {config.truth_table} needs the columns {', '.join(TRUTH)}, it has "
            f"{', '.join(names)}"
        )
    batches = warehouse.read(config.truth_table, TRUTH)
    rows = [row for batch in batches for row in batch.to_pylist()]
    channel_of = joined(sorted({str(row["channel"]) for row in rows}), channels)
    of_channel = Counter(channel_of.values())
    found = {}
    for row in rows:
        name = str(row["channel"])
        channel = channel_of.get(name)
        if channel is not None and (name == channel or of_channel[channel] == 1):
            found[channel, str(row["parameter"])] = float(row["true_value"])
    return found
