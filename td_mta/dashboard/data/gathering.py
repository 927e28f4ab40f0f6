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
from typing import Any, NamedTuple

import numpy as np

from td_mta.atomic_files import replacing
from td_mta.baselines import markov
from td_mta.baselines.markov import MAX_ORDER, Ngrams
from td_mta.baselines.methods import METHODS, NEED_TIMES, ByRule, shares_by_rule
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
MARKOV = "markov"
PARTS_AT_ONCE = 16  # in memory


@dataclass
class Gathered:
    """The paths of all pages so far, and what is counted of them."""

    days: int  # that paths reach back
    first_day: int  # whose conversions are credited
    channels: int
    users: int = 0
    touches_and_users: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    parts: list[list[Kept]] = field(default_factory=list)  # of each page

    def add(self, journeys: Journeys, held_out: Flags) -> None:
        """The journeys of one more page, of whose users some are held out."""
        self.users += journeys.users
        of_page = touches_and_users(journeys, self.channels)
        self.touches_and_users = self.touches_and_users + of_page if self.parts else of_page
        self.parts.append(kept.kept_of(journeys, held_out, self.days, self.first_day))


class Found(NamedTuple):
    """Every method's credit, and what gives the Markov chain's of any other order."""

    credit: Mapping[str, Floats]  # (2, channels + 1) by method
    order: int  # of the chain in `credit`
    ngrams: Ngrams  # of order MAX_ORDER
    untouched: Floats  # (2,)

    def of_order(self, order: int | None) -> "Found":
        """The same with a chain of this order; None leaves it."""
        if order is None or order == self.order:
            return self
        chain = markov.credit(markov.shortened(self.ngrams, order), self.untouched)
        return self._replace(credit={**self.credit, MARKOV: chain}, order=order)


def found(
    paths: Kept,
    channels: Sequence[str],
    config: Config,
    *,
    days: int | None = None,
    times: bool = True,
) -> Found:
    """Every method's credit, by a lookback of so many days; the chain's order is the parameter's,
    or what predicts held-out users best. Without `times` there is no method that needs them.
    """
    totals = models_of(list(channels), config)
    methods = {name: of for name, of in METHODS.items() if times or name not in NEED_TIMES}
    totals = dataclasses.replace(totals, order=None, methods=methods)
    rules = {name: of for name, of in methods.items() if isinstance(of, ByRule)}

    def counted(part: Part) -> tuple[Part, dict[str, Shares], Floats, Ngrams]:
        of_part = paths.paths(part.rows, days)
        ngrams = markov.count(of_part, len(channels), MAX_ORDER, nulls=totals.nulls)
        if not part.converting:
            return part, {}, np.zeros(2), ngrams
        shares = shares_by_rule(rules, of_part, len(channels), totals.settings)
        return part, shares, untouched(of_part), ngrams

    of_baseline = np.zeros(2)
    # NumPy works outside of Python's lock, so that threads share the cores.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        parts = paths.parts()
        while some := list(itertools.islice(parts, PARTS_AT_ONCE)):
            for part, shares, without, ngrams in pool.map(counted, some):
                totals.add_shares(shares, without)
                totals.add_ngrams(ngrams, held_out=part.held_out)
                of_baseline += without
    every = Found(totals.credits(), totals.chosen_order(), totals.ngrams(), of_baseline)
    return every.of_order(config.markov_order)


def save(folder: Path, paths: Kept, every: Found, facts: Mapping[str, Any]) -> None:
    """Write what the app keeps: the paths, every method's credit, and the facts."""
    once = distinct(paths)
    arrays = paths._asdict() | {f"credit_{name}": of for name, of in every.credit.items()}
    arrays |= {f"distinct_{name}": column for name, column in once._asdict().items()}
    arrays |= {
        f"ngrams_{name}": getattr(every.ngrams, name) for name in ("keys", "counts", "values")
    }
    arrays["untouched"] = every.untouched
    with replacing(folder / ARRAYS) as path, path.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
    text = json.dumps({**facts, "order": every.order}, ensure_ascii=True)
    with replacing(folder / FACTS) as path:
        path.write_text(text, encoding="utf-8")


def load(folder: Path) -> tuple[Kept, Paths, Found, dict[str, Any]]:
    """The paths, the distinct ones with their counts, every method's credit, and the facts."""
    facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
    with np.load(folder / ARRAYS, allow_pickle=False) as arrays:
        credit = {name: arrays[f"credit_{name}"] for name in METHODS if f"credit_{name}" in arrays}
        paths = Kept(*(arrays[name] for name in Kept._fields))
        once = Paths(*(arrays[f"distinct_{name}"] for name in Paths._fields))
        keys, counts, values = (arrays[f"ngrams_{name}"] for name in ("keys", "counts", "values"))
        ngrams = Ngrams(len(facts["channels"]), MAX_ORDER, keys, counts, values)
        every = Found(credit, facts["order"], ngrams, arrays["untouched"])
    return paths, once, every, facts
