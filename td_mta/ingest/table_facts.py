"""What pages of journeys add up to: whatever a run says about a table's rows."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from td_mta.ingest.pages import LeftOut, Page
from td_mta.journeys import facts
from td_mta.journeys.events import Counts
from td_mta.journeys.facts import Facts
from td_mta.journeys.touchpoints import Flags, Ints


class Most(NamedTuple):
    """The user who has the most of something; of several the last by the order of ids."""

    number: int
    user: str


NOBODY = Most(0, "")
NONE_LEFT_OUT = LeftOut(0, 0)
UNCHANGED = Counts()


@dataclass
class TableFacts:
    """Sums over pages; memory holds no users."""

    days: int  # that paths reach back
    duplicates: int = 0
    duplicate_conversions: int = 0
    counts: Counts = UNCHANGED
    left_out: LeftOut = NONE_LEFT_OUT
    most_touches: Most = NOBODY
    most_conversions: Most = NOBODY
    converting_users: int = 0
    untouched: int = 0  # of those, users without any touch
    untouched_user: str = ""  # the first of them
    touched_user: str = ""  # the first user with a touch
    rows_by_day: Counter[int] = field(default_factory=Counter)  # local days since 1970
    parts: list[Facts] = field(default_factory=list)  # of all pages so far, one at most

    @classmethod
    def of(cls, pages: Iterable[Page], days: int) -> "TableFacts":
        """The facts of all pages; paths reach back `days` days."""
        found = cls(days)
        for page in pages:
            found.add(page)
        return found

    def add(self, page: Page) -> None:
        """Count one more page."""
        journeys, ids = page.journeys, page.user_ids
        self.parts = [facts.sum_of([*self.parts, facts.facts_of(journeys, self.days)])]
        self.duplicates += page.duplicates
        self.duplicate_conversions += page.duplicate_conversions
        self.counts = self.counts.plus(page.counts)
        self.left_out = self.left_out.plus(page.left_out)
        self.most_touches = max(self.most_touches, _most(journeys.touches.user, ids))
        self.most_conversions = max(self.most_conversions, _most(journeys.conversions.user, ids))
        self._add_users(page)
        self._add_days(journeys.rows.day)

    def _add_days(self, day: Ints) -> None:
        if len(day):
            rows = np.bincount(day - day.min())
            days = np.flatnonzero(rows)
            self.rows_by_day.update(
                dict(zip((days + day.min()).tolist(), rows[days].tolist(), strict=True))
            )

    def _add_users(self, page: Page) -> None:
        journeys = page.journeys
        converts, touched = np.zeros((2, journeys.users), np.bool_)
        converts[journeys.conversions.user] = True
        touched[journeys.touches.user] = True
        untouched = converts & ~touched
        self.converting_users += int(converts.sum())
        self.untouched += int(untouched.sum())
        self.untouched_user = _first(page.user_ids, untouched, self.untouched_user)
        self.touched_user = _first(page.user_ids, touched, self.touched_user)

    @property
    def journeys(self) -> Facts:
        """Counts of all journeys."""
        return self.parts[0]


def _first(ids: pa.Array, chosen: Flags, found: str) -> str:
    """The first of the chosen users and the one found before; empty where there is none."""
    if not chosen.any():
        return found
    first = str(ids[int(np.argmax(chosen))].as_py())
    return min(found or first, first)


def _most(user: Ints, ids: pa.Array) -> Most:
    """The user of most of the rows, by the users of all of them, `(rows,)`."""
    if not len(user):
        return NOBODY
    number = np.bincount(user)
    most = len(number) - 1 - int(np.argmax(number[::-1]))
    return Most(int(number[most]), ids[most].as_py())
