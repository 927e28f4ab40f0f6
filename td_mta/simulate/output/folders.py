"""A simulated world to folders: tables block by block, then `spend` and `truth.json`."""

import json
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from tqdm import tqdm

from td_mta.simulate import classic, world
from td_mta.simulate.classic import Classic, ClassicAccount, ClassicBlock
from td_mta.simulate.output import files
from td_mta.simulate.output.facts import Facts, classic_facts, world_facts
from td_mta.simulate.output.media import media
from td_mta.simulate.output.shop import form_fills, page_views
from td_mta.simulate.partners import Partner
from td_mta.simulate.rows import Rows
from td_mta.simulate.truth import Account
from td_mta.simulate.world import Block, Plan

POOLED = "pooled"


class Job(NamedTuple):
    """How to write the world called `name`: page views instead of touchpoints where `shop`."""

    name: str
    seed: int
    form: files.Format
    shop: bool
    at_once: int | None


class _Kind(NamedTuple):
    """The same three steps for either kind of world: blocks of users, their account, its facts."""

    blocks: Callable[..., Any]
    account: Callable[[Sequence[Any]], Any]
    facts: Callable[..., Facts]


KINDS = {
    Plan: _Kind(world.blocks, Account, world_facts),
    Classic: _Kind(classic.blocks, ClassicAccount, classic_facts),
}


def write(job: Job, parts: Sequence[Partner], out: Path) -> None:
    """A single part to `out`; several to a folder each and, all together, to `pooled`."""
    users = sum(len(part.users) for part in parts)
    split = len(parts) > 1
    kind = KINDS[type(parts[0].world)]
    at_once = {} if job.at_once is None else {"at_once": job.at_once}
    with ExitStack() as stack, tqdm(total=users, unit=" users", disable=None) as progress:
        worlds = [part.world for part in parts]
        every = stack.enter_context(_Folder(job, out / POOLED if split else out, worlds))
        for number, part in enumerate(parts):
            own = _Folder(job, out / part.name, [part.world]) if split else None
            if own is not None:
                stack.enter_context(own)
            for block in kind.blocks(part.world, seed=job.seed, users=part.users, **at_once):
                every.add(block, number)
                if own is not None:
                    own.add(block, 0)
                progress.update(block.users)
            if own is not None:
                own.finish()
        every.finish()


class _Folder:
    """One folder's tables, clicks and account; nothing is left in it after an error."""

    def __init__(self, job: Job, folder: Path, worlds: Sequence[Plan | Classic]) -> None:
        self._job, self._path, self._world = job, folder, worlds[0]
        self._kind = KINDS[type(worlds[0])]
        self._account = self._kind.account(worlds)
        self._clicks = np.zeros((worlds[0].days, len(worlds[0].channels)), np.int64)
        self._tables = files.Tables(folder, job.form)
        self._users = 0

    def add(self, block: Block | ClassicBlock, which: int) -> None:
        """Some users of the world of that number."""
        self._users += block.users
        self._clicks += block.clicks
        self._account.add(block, which)
        for name, table in self._tables_of(block.rows).items():
            self._tables.write(name, table)

    def _tables_of(self, rows: Rows) -> dict[str, pa.Table]:
        channels = self._world.channels
        if not self._job.shop:
            return {"mta_user_rnd": files.touchpoints(rows, channels)}
        views = page_views(rows, channels, seed=self._job.seed)
        return {
            "enriched_pageviews": files.pages(views),
            "enriched_formfills": files.pages(form_fills(rows), form="order"),
        }

    def finish(self) -> None:
        """What is known only at the end."""
        job, channels = self._job, self._world.channels
        bought = media(channels, self._clicks, seed=job.seed)
        self._tables.write("spend", files.spend(bought, channels))
        facts = self._kind.facts(
            job.name, self._world, self._account.truth(), seed=job.seed, users=self._users
        )
        self._tables.write_text("truth.json", json.dumps(facts, indent=2) + "\n")

    def __enter__(self) -> "_Folder":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._tables.__exit__(kind, error, trace)
