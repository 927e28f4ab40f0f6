"""A column that stands for a channel of another name must stand for it in all appended runs."""

from collections.abc import Iterator, Mapping

from td_mta.errors import DataError
from td_mta.reporting.output_tables import numbered_columns
from td_mta.warehouse import Warehouse


def check_numbered_columns(
    names: Mapping[str, str], channels: list[str], warehouse: Warehouse
) -> None:
    """Raise `DataError` where a numbered column was another channel in an earlier run.

    `names` has the name of each output table.
    """
    numbered = numbered_columns(channels)
    if not numbered:
        return
    for column, channel in _earlier_columns(names["run_info"], warehouse):
        if numbered.get(column, channel) != channel:
            raise DataError(
                f"cannot append to {names['shapley']}: its column {column} is the channel "
                f"{channel!r} so far and would be {numbered[column]!r}; drop the table, or set "
                "if_exists to overwrite"
            )


def _earlier_columns(run_info: str, warehouse: Warehouse) -> Iterator[tuple[str, str]]:
    """Each numbered column of each earlier run, and its channel."""
    try:
        warehouse.columns(run_info)
    except DataError:  # this run is the first
        return
    for batch in warehouse.read(run_info, ["section", "name", "value"]):
        rows = batch.to_pandas()
        columns = rows[rows["section"] == "columns"]
        yield from zip(columns["name"], columns["value"], strict=True)
