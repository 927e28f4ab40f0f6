"""What comes back from a table's pages in memory is what the records on disk hold."""

from pathlib import Path

import pytest

from td_mta.config import attribution as configuration
from td_mta.dataset import tfrecords
from td_mta.dataset.build import extract, folders_of
from td_mta.ingest.pages import TouchpointTable
from td_mta.ingest.settings import TableSettings
from td_mta.journeys.examples import by_pattern
from td_mta.warehouse.local import LocalWarehouse
from tests.dataset.touches import touchpoints


@pytest.mark.parametrize(
    "parameters",
    [
        {"examples": "touch_days", "augment_last_day": "true"},
        {"examples": "person_days", "conversion_row_is_touch": "false"},
        {"holdout": "forward", "days_at_risk": "returning"},
        {"lookback_window_days": "25"},
    ],
    ids=["touch days", "person days", "forward", "keys that are hashes"],
)
def test_training_sees_just_what_the_records_hold(
    parameters: dict[str, str], tmp_path: Path
) -> None:
    """Page by page and merged now and then, or read again and merged at once: byte for byte."""
    settings = {"users_per_tfrecord": "50", **parameters}
    config = configuration.from_params(settings, "test", out=tmp_path)
    warehouse = LocalWarehouse(None, tmp_path, now=0)
    warehouse.write(config.table, touchpoints(), "overwrite")
    table = TouchpointTable(TableSettings.of(config), warehouse, tmp_path)
    extracted = extract(table, config, folders_of(config))
    read = tfrecords.read(folders_of(config), extracted.schema)
    assert len(list(folders_of(config).positive.glob("*.tfrecord"))) > 2
    examples = by_pattern(extracted.examples)
    for in_memory, on_disk in zip(
        [*examples.patterns, examples.counts],
        [*read.patterns, read.counts],
        strict=True,
    ):
        assert in_memory.dtype == on_disk.dtype
        assert in_memory.tobytes() == on_disk.tobytes()
