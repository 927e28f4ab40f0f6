"""Weekly revenue with differential privacy, from a table of orders: user, time, amount.

The weeks are given, not found: that a user bought in an early week would show in them. Everything
that is written has noise or does not depend on the orders. The ledger is charged first.
"""

import hashlib
import os
import secrets
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from td_mta.config.mmm import MediaMixConfig
from td_mta.errors import DataError, WrongInput
from td_mta.ingest import coercion, usual_names
from td_mta.ingest.finding.usual_names import USER, VALUE
from td_mta.ingest.media_mix import cells, dates
from td_mta.ingest.media_mix.periods import DAYS_PER_WEEK, date
from td_mta.ingest.settings import words
from td_mta.privacy.bounding import BoundedSums, bounded_sums
from td_mta.privacy.ledger import Ledger, LedgerError
from td_mta.privacy.noise import RandomIntegers, SeededForTests, SystemRandom, add_noise
from td_mta.publishing import publication
from td_mta.warehouse import Warehouse

TABLE = "private_revenue"
STATEMENT = "private_statement.txt"
OF_SUMS, OF_COUNTS = Fraction(9, 10), Fraction(1, 20)  # of epsilon; two counts are released
CENTS = 100
MOST = 10**9  # of an order
AMOUNTS = ("amount", "value", "revenue", "order_value", "total", "price", "sales")
TIMES = ("time", "date", "day", "order_date", "ordered_at", "created_at", "timestamp")


@dataclass(frozen=True, kw_only=True)
class Release:
    """What is to be released, all of it chosen without a look at the orders."""

    table: str
    first_day: int  # since 1970
    last_day: int
    epsilon: Fraction
    budget: Fraction
    max_weeks: int
    cap: int  # cents per user and week
    ledger: Path
    test_seed: int | None = None  # a release that protects nobody

    @property
    def weeks(self) -> int:
        """Whole weeks from `first_day` on."""
        return (self.last_day + 1 - self.first_day) // DAYS_PER_WEEK


def release(chosen: Release, config: MediaMixConfig, warehouse: Warehouse, out: Path) -> str:
    """Write `private_revenue.csv` and the statement, which is returned.

    Raises `DataError` for a table without users, `WrongInput` where the budget is spent.
    """
    seed = chosen.test_seed
    source: RandomIntegers = SystemRandom() if seed is None else SeededForTests(seed)
    secret = secrets.token_bytes(32) if seed is None else seed.to_bytes(32, "big")
    bounded = _bounded(chosen, config, warehouse, secret)
    left = _charge(chosen) if source.is_private else None
    sums = add_noise(
        bounded.sums.tolist(),
        chosen.max_weeks * chosen.cap,
        chosen.epsilon * OF_SUMS,
        source,
    )
    of_counts = chosen.epsilon * OF_COUNTS
    kept = add_noise([bounded.kept], chosen.max_weeks, of_counts, source)[0]
    pairs = add_noise([bounded.pairs], chosen.weeks, of_counts, source)[0]
    factor = max(pairs, 1) / max(kept, 1)
    starts = chosen.first_day + DAYS_PER_WEEK * np.arange(chosen.weeks)
    frame = pd.DataFrame(
        {
            "date": [str(date(int(day))) for day in starts],
            "revenue": [round(value / CENTS * factor, 2) for value in sums],
        }
    )
    text = _statement(chosen, factor, left)
    with publication.alone(out) as files:
        files.file(out / STATEMENT).write_text(text + "\n", encoding="utf-8")
        warehouse.write_all({TABLE: frame}, "overwrite", files=files)
    return text


def witness_of(ledger: Path) -> Path:
    """Where the witness of a ledger is: in the folder of this user's state, not beside it."""
    state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    name = hashlib.sha256(str(ledger.absolute()).encode()).hexdigest()[:16]
    return state / "td_mta" / "privacy" / name


def _charge(chosen: Release) -> Fraction:
    book = Ledger(chosen.ledger, witness_of(chosen.ledger))
    what = f"weekly revenue of {chosen.table}, {date(chosen.first_day)} to {date(chosen.last_day)}"
    try:
        return book.charge(chosen.epsilon, chosen.budget, what)
    except LedgerError as error:
        raise WrongInput(str(error)) from None


def _bounded(
    chosen: Release, config: MediaMixConfig, warehouse: Warehouse, secret: bytes
) -> BoundedSums:
    location, names = f"table {chosen.table}", warehouse.columns(chosen.table)
    columns = {
        role: usual_names.find(names, usual)
        for role, usual in (
            ("user", [name for row in USER.rows for name in row]),
            ("time", TIMES),
            ("amount", [*AMOUNTS, *(name for row in VALUE.rows for name in row)]),
        )
    }
    for role, column in columns.items():
        if column is None:
            raise DataError(
                f"{location} has no column for the {role}, so nobody's privacy could be bounded: "
                f"it has {', '.join(names)}; rename it"
            )
    there = {role: str(column) for role, column in columns.items()}
    rows = cells.rows_of(warehouse, chosen.table, list(there.values()), is_sorted=True)
    days = dates.days_of(rows[there["time"]], f"{location}, column {there['time']}", config)
    users: pa.Array = coercion.users(rows[there["user"]], words(config.null_words), location).ids
    if users.null_count:
        raise DataError(
            f"{location}, column {there['user']}: some rows have no user; give each its own, or "
            "remove them"
        )
    amounts = cells.amounts_of(rows, there["amount"], location, config)
    period = (days - chosen.first_day) // DAYS_PER_WEEK
    counted = (period >= 0) & (period < chosen.weeks) & np.isfinite(amounts)
    largest = CENTS * MOST  # so that sums are exact integers
    cents = np.clip(np.rint(CENTS * amounts[counted]), -largest, largest).astype(np.int64)
    ids = [user for user, is_in in zip(users.to_pylist(), counted, strict=True) if is_in]
    return bounded_sums(
        ids,
        period[counted],
        cents,
        periods=chosen.weeks,
        most=chosen.max_weeks,
        cap=chosen.cap,
        secret=secret,
    )


def _statement(chosen: Release, factor: float, left: Fraction | None) -> str:
    scale = float(chosen.max_weeks * chosen.cap / (chosen.epsilon * OF_SUMS) / CENTS)
    lines = [
        f"Pure {float(chosen.epsilon):g}-differential privacy of a user: all orders of one user, "
        "added or removed.",
        f"A user counts in at most {chosen.max_weeks} weeks, drawn at random, with at most "
        f"{chosen.cap / CENTS:,.2f} in each.",
        f"Each of {chosen.weeks} weeks has discrete Laplace noise of scale {scale:,.2f}; values "
        "may be negative and are not clipped.",
        f"The weeks that were left out are made up for by the factor {factor:.4f}, which has noise "
        "of its own and is part of epsilon; what the bound per week cut off is not.",
    ]
    if left is None:
        lines.insert(0, "TEST MODE: the noise is seeded and protects nobody. Do not publish.")
    else:
        lines.append(f"Of the data set's budget epsilon {float(left):g} is left.")
    return "\n".join(lines)
