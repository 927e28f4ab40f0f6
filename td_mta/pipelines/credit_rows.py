"""The credit of every single conversion, a row for each of its cells and its baseline.

A second pass over the pages looks up the game that each conversion plays. Rows go to a file as they
come, so that memory holds a page of them; what it gives back is mapped, not read.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from td_mta.dataset.extracted import Extracted
from td_mta.ingest.pages import Page, TouchpointTable
from td_mta.journeys.credited import credits_of
from td_mta.journeys.examples import DayRules
from td_mta.journeys.runs import owners, positions
from td_mta.journeys.touchpoints import Floats, Ints
from td_mta.pipelines.crediting import Played
from td_mta.tables import BASELINE, CREDIT

TYPES = (
    *(pa.string(), pa.string(), pa.int64(), pa.string(), pa.int64()),
    *(pa.float64(), pa.float64()),
)
SCHEMA = pa.schema(list(zip(CREDIT.columns, TYPES, strict=True)))
BATCH_ROWS = 1 << 16


class _Games(NamedTuple):
    """What a conversion of each game gives: to its players, then to the baseline."""

    starts: Ints  # where each game's players begin, (games + 1,)
    cells: Ints  # of each player
    credit: Floats  # of each player, per conversion
    baseline: Floats  # (games,)

    @classmethod
    def of(cls, played: Played) -> "_Games":
        values, games = played.values, played.values.games
        full = np.where(games.sizes > 0, values.value_full, 1.0)
        baseline = np.where(games.sizes > 0, values.value_empty / full, 1.0)
        cells = games.cells.astype(np.int64)
        return cls(games.starts, cells, values.phi / full[games.owner], baseline)


def write(
    path: Path, touchpoints: TouchpointTable, rules: DayRules, extracted: Extracted, played: Played
) -> pa.Table:
    """The rows of `tables.CREDIT` for all conversions that `played` credits, kept in `path`."""
    games, units = _Games.of(played), extracted.credited.keys
    by_key = np.argsort(units)
    channels = pa.array([*touchpoints.channels, BASELINE], pa.string())
    has_value = touchpoints.settings.has_value
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, SCHEMA) as file:
        for page in touchpoints.pages("crediting"):
            credits = credits_of(page.journeys, rules)
            at = by_key[np.searchsorted(units, credits.credited.keys, sorter=by_key)]
            game = played.game[at][credits.unit]
            batch = _rows(page, rules, game, games, channels, has_value=has_value)
            for start in range(0, len(batch), BATCH_ROWS):
                file.write_batch(batch.slice(start, BATCH_ROWS))
    return pa.ipc.open_file(pa.memory_map(str(path))).read_all()


def _rows(
    page: Page,
    rules: DayRules,
    game: Ints,
    games: _Games,
    channels: pa.Array,
    *,
    has_value: bool,
) -> pa.RecordBatch:
    """The rows of a page, whose conversions of the period play `game` `(n,)`."""
    journeys, width = page.journeys, len(channels) - 1
    chosen = np.flatnonzero(journeys.conversions.day >= rules.period.first_day)
    players = (games.starts[1:] - games.starts[:-1])[game]
    player = positions(games.starts[game], players)
    conversion = np.concatenate([owners(players), np.arange(len(game))])
    days, channel = np.divmod(games.cells[player], width)
    baselines = np.full(len(game), width)
    credit = np.concatenate([games.credit[player], games.baseline[game]])
    order = np.argsort(conversion, kind="stable")  # each conversion's rows together, baseline last
    conversion, credit = conversion[order], credit[order]
    row = chosen[conversion]
    conversions = journeys.conversions.take(row)
    no_day = np.concatenate([np.zeros(len(days), np.bool_), np.ones(len(game), np.bool_)])[order]
    all_days = np.concatenate([days, np.zeros(len(game), np.int64)])[order]
    value = credit * journeys.values[row]
    nothing = pa.nulls(len(row), pa.string())
    return pa.record_batch(
        [
            page.user_ids.take(pa.array(conversions.user)).cast(pa.string()),
            nothing if page.order_ids is None else page.order_ids.take(pa.array(row)),
            pa.array(conversions.time),
            channels.take(pa.array(np.concatenate([channel, baselines])[order])),
            pa.array(all_days, mask=no_day),
            pa.array(credit),
            pa.array(value) if has_value else pa.nulls(len(row), pa.float64()),
        ],
        schema=SCHEMA,
    )
