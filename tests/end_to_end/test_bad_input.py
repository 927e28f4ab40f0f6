"""Bad input on Treasure Data: one clear message at the right task, and nothing half-written.

Here the whole workflow meets the emulator. What is wrong with local tables is in
pipelines/test_attribution_runs.py and ingest/test_pages.py, with the archive in
local_runner/test_archive.py, with the image in test_container.py.
"""

import itertools
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pytest

from td_emulator import API_KEY, READ_ONLY_KEY, Emulator, Fault
from tests.end_to_end import compare, secret, shop, stages
from tests.end_to_end.runs import ROOT, fill, tables_in

pytestmark = pytest.mark.slow
OLD = {name: pa.table({"of": [f"the last run's {name}"]}) for name in shop.OUTPUTS}
TRANSITION = {"mta_union_conversions", "mta_user_rnd", "channel_source_stats"}
UNION, RND = "+create_union_table", "+create_ab_rnd_table"
PYTHON, COUNT = "+execute_python_code", "+count"
FROM_TOUCHPOINTS = {
    "union_query": "union_touchpoints",
    "touchpoints_value_column": "value",
    "spend_table": "none",
}


def touchpoints(channels: tuple[str, ...], conversions: bool = True) -> pa.Table:
    """Thirty users, each with a touch and perhaps a conversion."""
    rows = [(f"{user:03d}", channels[user % len(channels)], user) for user in range(30)]
    return pa.table(
        {
            "user_id": [user for user, _, _ in rows],
            "time": [1_769_600_000 + 60 * number for _, _, number in rows],
            "channel": [channel for _, channel, _ in rows],
            "conversion": [int(conversions and number % 3 == 0) for _, _, number in rows],
            "value": [1.5 for _ in rows],
        }
    )


def nothing(td: Emulator, out: Path) -> None:
    """What is wrong is not in the emulator."""


def without_table(td: Emulator, out: Path) -> None:
    td.engine.drop_table(shop.DATABASE, "enriched_formfills")


def without_column(td: Emulator, out: Path) -> None:
    views = td.engine.read(shop.DATABASE, "enriched_pageviews")
    td.engine.write(shop.DATABASE, "enriched_pageviews", views.drop_columns(["td_referrer"]))


def without_costs(td: Emulator, out: Path) -> None:
    td.engine.drop_table(shop.DATABASE, "costs")


def nobody_converts(td: Emulator, out: Path) -> None:
    td.engine.write(shop.DATABASE, "touchpoints", touchpoints(("Email", "Display"), False))


def full_disk(td: Emulator, out: Path) -> None:
    """The task of the model finds no room for its records."""
    (out.parent / "site").mkdir()
    (out.parent / "site" / "sitecustomize.py").write_text(FULL)


def killed(path: str, at: int) -> Callable[[Emulator, Path], None]:
    return lambda td, out: td.faults.plan(Fault("job_killed", path=path, at=at))


FULL = """
import os
if "MTA_WAREHOUSE" in os.environ:
    from td_mta.dataset import build
    def write(self, page, examples):
        raise OSError(28, "No space left on device", "negative_page0.tfrecord")
    build.Writer.write = write
"""


@dataclass(frozen=True, kw_only=True)
class Bad:
    """What is wrong, the task at which it must be said (None: before any), and the words."""

    id: str
    says: tuple[str, ...]
    task: str | None
    spoil: Callable[[Emulator, Path], None] = nothing
    settings: dict[str, str] = field(default_factory=dict)
    key: str | None = API_KEY
    only: str | None = None  # run this task alone, the ones before it having run


CASES = [
    Bad(id="wrong key", key="1/" + "0" * 40, task=UNION, says=("401", "key", "TD_API_KEY")),
    Bad(
        id="missing secret",
        key=None,
        task=None,
        says=("workflows/mta_tasks.dig:", "the secret td.apikey is missing", "TD_API_KEY"),
    ),
    Bad(
        id="key without write rights",
        key=READ_ONLY_KEY,
        task=UNION,
        says=("Access Denied", "master key is needed, with write rights"),
    ),
    Bad(
        id="key without write rights, for the model",
        key=READ_ONLY_KEY,
        task=PYTHON,
        only=PYTHON,
        says=("403", "master key", "write"),
    ),
    Bad(
        id="missing database",
        settings={"in_db": "nowhere"},
        task=UNION,
        says=("nowhere", "database"),
    ),
    Bad(
        id="missing database of the model",
        settings={"db": "nowhere"},
        task=COUNT,
        says=("nowhere", "database"),
    ),
    Bad(id="missing table", spoil=without_table, task=UNION, says=("enriched_formfills",)),
    Bad(id="missing column", spoil=without_column, task=UNION, says=("td_referrer",)),
    Bad(
        id="missing column of the model",
        settings={"action_column": "chanels"},
        task=PYTHON,
        says=("no column 'chanels'", "did you mean 'channels'"),
    ),
    Bad(
        id="missing table of costs",
        spoil=without_costs,
        task=PYTHON,
        says=("no table 'costs' in database mta",),
    ),
    Bad(
        id="name of a table that is too short",
        settings={"union_table": "ab"},
        task=None,
        says=("workflows/mta_tasks.dig:", "'ab' is no table name", "3 to 256"),
    ),
    Bad(
        id="name of an output table with capitals",
        settings={"shapley_table": "Shapley"},
        task=None,
        says=("workflows/report_tasks.dig:", "'Shapley_rules' is no table name", "a-z, 0-9 and _"),
    ),
    Bad(
        id="nobody converts",
        settings=FROM_TOUCHPOINTS,
        spoil=nobody_converts,
        task=PYTHON,
        says=("conver",),
    ),
    Bad(
        id="zero rows within the interval",
        settings={"time_interval": "-1m"},
        task=PYTHON,
        says=("--session", "time_interval"),
    ),
    Bad(
        id="no disk for records",
        spoil=full_disk,
        task=PYTHON,
        says=("the disk is full", "larger machine"),
    ),
    Bad(
        id="job of the SQL killed",
        spoil=killed("issue", 1),
        task=RND,
        says=("killed",),
    ),
    Bad(
        id="job of the model's reading killed",
        spoil=killed("issue", 4),
        task=PYTHON,
        says=("was killed in Treasure Data", "start again"),
    ),
]


@pytest.mark.parametrize("bad", CASES, ids=lambda bad: bad.id)
def test_bad_input_ends_with_one_message_at_its_task(
    bad: Bad, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path / 'site'}{os.pathsep}{ROOT}")
    with stages.emulator(tmp_path / "td") as td:
        fill(td, shop.tables(users=60) | OLD)
        if bad.only:
            for stage in itertools.takewhile(lambda stage: stage != bad.only, stages.STAGES):
                assert not stages.run(stage, td, out).messages
        bad.spoil(td, out)
        before = tables_in(td)
        secrets = {"td.apiserver": td.url} | ({"td.apikey": bad.key} if bad.key else {})
        settings = shop.SETTINGS | {"td_api_server": td.url} | bad.settings
        ended = stages.workflow(bad.only, out, settings, secrets)
        left = tables_in(td)
    assert len(ended.messages) == 1, ended.log
    (message,) = ended.messages
    assert message.startswith(f"+mta{bad.task}" if bad.task else bad.says[0])
    assert [word for word in bad.says if word not in message] == [], message
    assert "Traceback" not in message
    assert secret.files_with(tmp_path, bad.key or API_KEY) == []
    assert (bad.key or API_KEY) not in ended.log
    assert compare.differing_tables(left, before, {*before} - TRANSITION) == []
    assert [name for name in left if "staging" in name or "probe" in name] == []


def test_an_endpoint_that_cannot_be_reached_is_reported_early(tmp_path: Path) -> None:
    nowhere = "http://127.0.0.1:9/"  # the port of discard: nobody listens
    started = time.monotonic()
    settings = shop.SETTINGS | {"td_api_server": nowhere}
    secrets = {"td.apiserver": nowhere, "td.apikey": API_KEY}
    ended = stages.workflow(None, tmp_path, settings, secrets)
    assert time.monotonic() - started < 20
    (message,) = ended.messages
    assert "+mta+create_union_table" in message
    assert "cannot be reached at http://127.0.0.1:9" in message
    assert "Check TD_API_SERVER" in message
