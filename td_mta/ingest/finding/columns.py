"""The parameters that name a table's columns, where nobody set them; or an error that asks."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from td_mta.config.attribution import Config
from td_mta.errors import DataError
from td_mta.ingest.finding import fitting, sentences
from td_mta.ingest.finding.sample import Column, Sample
from td_mta.ingest.finding.usual_names import (
    CHANNEL,
    CONVERSION,
    ROLES,
    TIME,
    USER,
    VALUE,
    Role,
    plain,
)
from td_mta.ingest.values import plain_columns
from td_mta.warehouse import Warehouse
from td_mta.warehouse.names import missing_column, same_column

# The surest first: each column has one role.
ORDER = tuple(role.name for role in (TIME, USER, CONVERSION, CHANNEL, VALUE))
DURATION = re.compile(
    r"durat|duree|duracion|dauer|length|spent|elapsed|_on_|engage|watch|dwell|av(era)?g"
)
ADDRESSES = {*sentences.PAGE_ADDRESSES, "td_referrer", "referrer", "page_referrer", "referer"}
SOURCE = re.compile(r"(^|_)source$")
MOST_ROWS = 5_000_000  # read in search of an event that converts


class Found(NamedTuple):
    """Parameters whose columns exist, and what was found out, in sentences."""

    config: Config
    notes: list[str]


def find_columns(
    config: Config,
    chosen: Collection[str],
    warehouse: Warehouse,
    *,
    everything: bool = False,
    content: bool = True,
    roles: Sequence[Role] = ROLES,
) -> Found:
    """The parameters of the columns; those `chosen` stay, and so does a default that exists.

    With `everything` defaults must fit by content too, and a value is looked for. Without `content`
    no row is read, and names alone decide. Raises `DataError` for a chosen column that does not
    exist, and for what cannot be decided.
    """
    table = _Table(config, warehouse, content=content)
    named = {role: table.named(role, chosen) for role in roles}
    if everything:
        for role in roles:
            if role.parameter not in chosen and not table.fits(role, named[role]):
                named[role] = None
    surest_first = sorted(roles, key=lambda role: ORDER.index(role.name))
    wanted = [role for role in surest_first if not named[role] and role.parameter not in chosen]
    if not everything:
        wanted = [role for role in wanted if role.name != VALUE.name]
    notes = table.find(wanted, named)
    by_parameter: dict[str, Any] = {role.parameter: name for role, name in named.items() if name}
    config = replace(config, **by_parameter)
    events = None
    if CONVERSION in roles and "conversion_value_is" not in chosen:
        events = table.converting_events(config.conversion_column)
        config = replace(config, conversion_value_is=events or config.conversion_value_is)
    if everything or wanted or events:
        said = sentences.described(config, named, table.name, table.sample)
        notes = [said, *table.user_notes(named), *notes]
    return Found(config, notes)


def chosen_parameters(config: Config, on_command_line: Collection[str]) -> frozenset[str]:
    """The parameters that the user set: on the command line, or to something else than a default.

    A file that repeats a default, as `config/params.yml` does, chooses nothing.
    """
    defaults = vars(Config())
    changed = {name for name, value in vars(config).items() if value != defaults[name]}
    return frozenset(changed | set(on_command_line))


class _Table:
    """A table, its columns, and what they hold, read when it is asked for."""

    def __init__(self, config: Config, warehouse: Warehouse, *, content: bool) -> None:
        self._config, self._warehouse, self._content = config, warehouse, content
        self.name, self.columns = config.table, warehouse.columns(config.table)
        self._sample: Sample | None = None

    @property
    def sample(self) -> Sample:
        if self._sample is None:
            batches = self._warehouse.read(self.name, self.columns) if self._content else iter(())
            self._sample = Sample.of(batches, self.columns, self._config.null_words)
        return self._sample

    def named(self, role: Role, chosen: Collection[str]) -> str | None:
        """The column that a parameter names; None for a default of which there is no column."""
        name: str | None = getattr(self._config, role.parameter)
        if name is None:
            return None
        if role.parameter in chosen and not plain_columns.parts_of(name, self.columns):
            missing = missing_column(name, self.columns, f" ({role.parameter})")
            raise DataError(
                f"table {self.name}: {missing}{'' if missing.endswith('?') else '.'} Set it with "
                f"--set {role.parameter}=…, or in config/params.yml"
            )
        if role.parameter in chosen:
            return name
        return same_column(name, self.columns)

    def fits(self, role: Role, name: str | None) -> bool:
        """Whether a column holds what a role needs; any does where the table has no rows."""
        if name is None:
            return False
        column = self.sample.columns[same_column(name, self.columns) or name]
        return not len(column.values) or fitting.fits(role, column)

    def find(self, wanted: Sequence[Role], named: dict[Role, str | None]) -> list[str]:
        """Fill in the wanted roles of `named`; a sentence where a value cannot be decided."""
        missing, notes = [], []
        for role in wanted:
            taken = {name for name in named.values() if name}
            candidates = self._candidates(role, [c for c in self.columns if c not in taken])
            if role == CHANNEL:
                candidates = self._channel_of(candidates)
            if len(candidates) > 1 and role.name != VALUE.name:
                raise DataError(sentences.undecided(self.name, role, candidates))
            if len(candidates) == 1:
                named[role] = candidates[0]
            elif candidates:
                notes.append(
                    f"No value is taken, since {' and '.join(candidates)} could both be it: "
                    f"choose with --set {role.parameter}=…"
                )
            elif role.name != VALUE.name:
                missing.append(role)
        if missing:
            raise DataError(sentences.not_found(self.name, missing, self.sample))
        return [*notes, *self._join_clock(wanted, named)]

    def user_notes(self, named: Mapping[Role, str | None]) -> list[str]:
        """What is said of how the ids of users are written."""
        column = self.sample.columns.get(same_column(_of(USER, named) or "", self.columns) or "")
        return sentences.of_user_spelling(column) if column else []

    def _join_clock(self, wanted: Sequence[Role], named: dict[Role, str | None]) -> list[str]:
        """Take the time of day from a column of its own, where that of times has days alone."""
        time = next(role for role in named if role.name == TIME.name)
        days = self.sample.columns.get(same_column(named[time] or "", self.columns) or "")
        if days is None or not days.is_day or not days.is_time:
            return []
        clocks = [c for c in self.columns if self.sample.columns[c].is_clock]
        clocks = [c for c in clocks if not DURATION.search(plain(c))]
        joined = [plain_columns.AND.join((days.name, clock)) for clock in clocks]
        if not joined:
            return []
        if len(joined) == 1 and time in wanted:
            named[time] = joined[0]
            return [
                f"Column {days.name} has days alone and {clocks[0]} the time of day, so both are "
                f"read as one; for days alone: --set {time.parameter}={days.name}."
            ]
        return [
            f"Column {days.name} has days alone, and the time of day in column "
            f"{' or '.join(clocks)} is not read: the touches of a day keep their order with "
            f"--set {time.parameter}='{joined[0]}'."
        ]

    def _candidates(self, role: Role, columns: Sequence[str]) -> list[str]:
        """One column where it can be decided; none, or several, where it cannot."""
        by_row = [[c for c in columns if plain(c) in row] for row in role.rows]
        by_part = [c for c in columns if role.has_part(c)]
        for named in [*by_row, by_part]:
            that_fit = [c for c in named if self.fits(role, c)]
            if that_fit:
                return that_fit if role.name == VALUE.name else self._decided(role, that_fit)
        # A column of that name whose content does not fit: reading it gives an error that shows it.
        unfit = [c for row in by_row for c in row][:1] if role in (USER, TIME, CHANNEL) else []
        if unfit and role.name != TIME.name:
            return unfit
        alike = (c for c in columns if fitting.looks_like(role, self.sample.columns[c]))
        return list(alike) or unfit

    def _channel_of(self, candidates: list[str]) -> list[str]:
        """No address of a page, and the source of visits where the medium of many is missing."""
        if all(plain(c) in ADDRESSES for c in candidates):
            return []
        medium = self.sample.columns[candidates[0]]
        if len(candidates) == 1 and plain(medium.name).endswith("medium"):
            sources = [self.sample.columns[c] for c in self.columns if SOURCE.search(plain(c))]
            fuller = [
                c
                for c in sources
                if (c.filled > medium.filled + 0.2 and c.is_few_or_one)
                or (len(medium.distinct) == 1 and c.is_few)
            ]
            return [c.name for c in fuller[:1]] or candidates
        return candidates

    def _decided(self, role: Role, columns: list[str]) -> list[str]:
        """The best filled of some columns, or the first where they divide the rows alike."""
        if len(columns) == 1:
            return columns
        filled = {c: self.sample.columns[c].filled for c in columns}
        best = [c for c in columns if filled[c] > max(filled.values()) - 0.1]
        if role.name == TIME.name:  # not the day of a time that stands beside it
            with_clock = [c for c in best if not self.sample.columns[c].is_day]
            best = with_clock if len(with_clock) == 1 else best
        if len(best) > 1 and role.name != TIME.name and self.sample.divide_alike(best):
            return best[:1]
        return best

    def converting_events(self, name: str) -> str | None:
        """The values of a column of event names at which a row converts; None for a flag."""
        existing = same_column(name, self.columns)
        if existing is None:  # with a table of orders there may be none
            return None
        name, column = existing, self.sample.columns[existing]
        if column.is_flag or not column.is_text:
            return None
        events = fitting.converting(column.distinct)
        if not events and len(column.values):
            events = fitting.converting(self._distinct_of_all(name))
        return ", ".join(events) or None

    def _distinct_of_all(self, name: str) -> set[str]:
        rows, distinct = 0, set[str]()
        for batch in plain_columns.read(self._warehouse, self.name, [name]):
            distinct.update(Column(name, batch[0], frozenset()).distinct)
            rows += len(batch)
            if rows > MOST_ROWS or len(distinct) > MOST_ROWS // 100:
                break
        return distinct


def _of(role: Role, named: Mapping[Role, str | None]) -> str | None:
    """The column of a role, whichever parameter of that role names it."""
    return next((name for other, name in named.items() if other.name == role.name), None)
