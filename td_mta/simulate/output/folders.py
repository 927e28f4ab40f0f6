"""A simulated world to folders: tables block by block, then `spend` and `truth.json`."""

import json
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import pyarrow as pa
from tqdm import tqdm

from td_mta.simulate import engine
from td_mta.simulate.classic import engine as classic_engine
from td_mta.simulate.classic.engine import ClassicBlock
from td_mta.simulate.classic.plan import ClassicPlan
from td_mta.simulate.classic.truth import ClassicTruthAccumulator
from td_mta.simulate.engine import Block
from td_mta.simulate.output import files
from td_mta.simulate.output.experiments import experiments
from td_mta.simulate.output.facts import Facts, classic_facts, world_facts
from td_mta.simulate.output.media import media
from td_mta.simulate.output.shop import form_fills, page_views
from td_mta.simulate.partners import Partner
from td_mta.simulate.plan import WorldPlan
from td_mta.simulate.rows import TouchpointRows
from td_mta.simulate.truth import TruthAccumulator

POOLED = "pooled"
TableKind = Literal["touchpoints", "pageviews"]


class OutputSettings(NamedTuple):
    """How to write a world."""

    world: str  # its name, for `truth.json`
    seed: int
    file_format: files.FileFormat
    tables: TableKind
    users_per_block: int | None  # None: the engine's own
    experiments: tuple[str, ...] = ()  # channels that one is made on


class _Steps(NamedTuple):
    """How to simulate a kind of plan: blocks of users, their truth, its JSON."""

    blocks: Callable[..., Any]
    accumulator: Callable[[Sequence[Any]], Any]
    facts: Callable[..., Facts]


STEPS = {
    WorldPlan: _Steps(engine.blocks, TruthAccumulator, world_facts),
    ClassicPlan: _Steps(classic_engine.blocks, ClassicTruthAccumulator, classic_facts),
}


def write(settings: OutputSettings, parts: Sequence[Partner], out: Path) -> None:
    """Write a single part to `out`; several to a folder each and, all together, to `pooled`."""
    users = sum(len(part.users) for part in parts)
    plans = [part.plan for part in parts]
    is_split = len(parts) > 1
    with ExitStack() as stack, tqdm(total=users, unit=" users", disable=None) as progress:
        pooled_path = out / POOLED if is_split else out
        pooled = _open_folder(stack, settings, pooled_path, plans)
        for number, part in enumerate(parts):
            own = None
            if is_split:
                own = _open_folder(stack, settings, out / part.name, [part.plan])
            for block in _blocks(settings, part):
                pooled.add(block, number)
                if own is not None:
                    own.add(block, 0)
                progress.update(block.users)
            if own is not None:
                own.finish()
        pooled.finish()


def _blocks(settings: OutputSettings, part: Partner) -> Any:
    """The part's users, block by block."""
    options: dict[str, Any] = {"seed": settings.seed, "users": part.users}
    if settings.users_per_block is not None:
        options["users_per_block"] = settings.users_per_block
    return STEPS[type(part.plan)].blocks(part.plan, **options)


def _open_folder(
    stack: ExitStack,
    settings: OutputSettings,
    path: Path,
    plans: Sequence[WorldPlan | ClassicPlan],
) -> "_Folder":
    """A folder whose files are complete when the stack ends; none is left in it after an error."""
    table_files = stack.enter_context(files.table_files(path, settings.file_format))
    return _Folder(settings, table_files, plans)


class _Folder:
    """One folder's tables, clicks and truth. The plans may differ in their channel mix alone."""

    def __init__(
        self,
        settings: OutputSettings,
        table_files: files.TableFiles,
        plans: Sequence[WorldPlan | ClassicPlan],
    ) -> None:
        self._settings, self._plan = settings, plans[0]
        self._steps = STEPS[type(self._plan)]
        self._accumulator = self._steps.accumulator(plans)
        days, channels = self._plan.days, len(self._plan.channels)
        self._clicks = np.zeros((days, channels), np.int64)
        self._files = table_files
        self._users = 0

    def add(self, block: Block | ClassicBlock, plan: int) -> None:
        """Write and count some users of the plan of that number."""
        self._users += block.users
        self._clicks += block.clicks
        self._accumulator.add(block, plan)
        for name, table in self._tables(block.rows).items():
            self._files.write(name, table)

    def _tables(self, rows: TouchpointRows) -> dict[str, pa.Table]:
        channels = self._plan.channels
        if self._settings.tables == "touchpoints":
            return {"mta_user_rnd": files.touchpoints(rows, channels)}
        views = page_views(rows, channels, seed=self._settings.seed)
        return {
            "enriched_pageviews": files.web_events(views),
            "enriched_formfills": files.web_events(form_fills(rows), form="order"),
        }

    def finish(self) -> None:
        """Write what needs all users: `spend` and `truth.json`."""
        settings, channels = self._settings, self._plan.channels
        bought = media(channels, self._clicks, seed=settings.seed)
        self._files.write("spend", files.spend(bought, channels))
        truth = self._accumulator.truth()
        facts = self._steps.facts(
            settings.world, self._plan, truth, seed=settings.seed, users=self._users
        )
        if settings.experiments:
            found = experiments(facts, settings.experiments, seed=settings.seed)
            self._files.write("experiments", files.experiments(found))
        self._files.write_text("truth.json", json.dumps(facts, indent=2) + "\n")
