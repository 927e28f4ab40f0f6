"""What is read or simulated, page by page, to what the app keeps of it; and its files.

`kept.npz` holds arrays, `facts.json` all else. They are written by a process of their own and read
by the app; neither format can hold code.
"""

import dataclasses
import itertools
import json
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from td_mta.atomic_files import replacing
from td_mta.baselines import markov
from td_mta.baselines.markov import MAX_ORDER, Ngrams
from td_mta.baselines.methods import METHODS, NEED_TIMES, ByRule
from td_mta.baselines.rules import Shares, untouched
from td_mta.config.attribution import Config
from td_mta.dashboard.data import kept
from td_mta.dashboard.data.distinct import distinct
from td_mta.dashboard.data.kept import Kept, Part
from td_mta.dataset.build import models_of, touches_and_users
from td_mta.journeys.paths import Paths
from td_mta.journeys.touchpoints import Flags, Floats, Ints
from td_mta.journeys.windows import Journeys

ARRAYS, FACTS = "kept.npz", "facts.json"
PARTS_AT_ONCE = 16  # in memory


@dataclass
class Gathered:
    """The paths of all pages so far, and what is counted of them."""

    days: int  # that paths reach back
    first_day: int  # whose conversions are credited
    channels: int
    users: int = 0
    touches_and_users: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    parts: list[Kept] = field(default_factory=list)

    def add(self, journeys: Journeys, held_out: Flags) -> None:
        """The journeys of one more page, of whose users some are held out."""
        self.users += journeys.users
        of_page = touches_and_users(journeys, self.channels)
        self.touches_and_users = self.touches_and_users + of_page if self.parts else of_page
        self.parts.append(kept.kept_of(journeys, held_out, self.days, self.first_day))


def credits(
    paths: Kept, channels: Sequence[str], config: Config, order: int | None, *, times: bool = True
) -> tuple[dict[str, Floats], int]:
    """Every method's credit, `(2, channels + 1)`, and the Markov chain's order.

    Order None takes what predicts held-out users best. Without `times` no method that needs them.
    """
    totals = models_of(list(channels), config)
    methods = {name: of for name, of in METHODS.items() if times or name not in NEED_TIMES}
    totals = dataclasses.replace(totals, order=order, methods=methods)
    rules = {name: of for name, of in methods.items() if isinstance(of, ByRule)}

    def counted(part: Part) -> tuple[bool, dict[str, Shares], Floats, Ngrams]:
        held_out, of_part = part
        converting = of_part.take(np.flatnonzero(of_part.conversions))
        shares = {
            name: of.shares_of(converting, len(channels), totals.settings)
            for name, of in rules.items()
        }
        ngrams = markov.count(of_part, len(channels), order or MAX_ORDER, nulls=totals.nulls)
        return held_out, shares, untouched(converting), ngrams

    # NumPy works outside of Python's lock, so that threads share the cores.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        parts = paths.paths()
        while some := list(itertools.islice(parts, PARTS_AT_ONCE)):
            for held_out, shares, of_baseline, ngrams in pool.map(counted, some):
                totals.add_shares(shares, of_baseline)
                totals.add_ngrams(ngrams, held_out=held_out)
    return totals.credits(), totals.chosen_order()


def save(
    folder: Path,
    paths: Kept,
    found: tuple[Mapping[str, Floats], int],
    facts: Mapping[str, Any],
) -> None:
    """Write what the app keeps: the paths, each method's credit `found`, and the facts."""
    credit, order = found
    once = distinct(paths)
    arrays = paths._asdict() | {f"credit_{name}": of for name, of in credit.items()}
    arrays |= {f"distinct_{name}": column for name, column in once._asdict().items()}
    with replacing(folder / ARRAYS) as path, path.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
    text = json.dumps({**facts, "order": order}, ensure_ascii=True)
    with replacing(folder / FACTS) as path:
        path.write_text(text, encoding="utf-8")


def load(folder: Path) -> tuple[Kept, Paths, dict[str, Floats], dict[str, Any]]:
    """The paths, the distinct ones with their counts, each method's credit, and the facts."""
    facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
    with np.load(folder / ARRAYS, allow_pickle=False) as arrays:
        credit = {name: arrays[f"credit_{name}"] for name in METHODS if f"credit_{name}" in arrays}
        paths = Kept(*(arrays[name] for name in Kept._fields))
        once = Paths(*(arrays[f"distinct_{name}"] for name in Paths._fields))
    return paths, once, credit, facts
