"""`ReadTable`: what later steps know of a table of touchpoints, whoever counted its rows."""

from typing import Protocol

from td_mta.ingest.scan import Scan
from td_mta.ingest.settings import TableSettings


class ReadTable(Protocol):
    """A table whose rows have been read, by Python (`TouchpointTable`) or in the warehouse."""

    @property
    def settings(self) -> TableSettings:
        """How it was read."""
        ...

    @property
    def scan(self) -> Scan:
        """Counts of its rows as they are."""
        ...

    @property
    def channels(self) -> list[str]:
        """The channels that touch anybody, ascending."""
        ...

    @property
    def arrival(self) -> int:
        """What is known of the order of rows: as they arrived 1, its reverse -1, nothing 0."""
        ...

    @property
    def visits(self) -> bool:
        """Every conversion is a visit by some channel, so nobody converts without a touch."""
        ...

    @property
    def first_day(self) -> int:
        """The local day on which the data begin, counted from 1970."""
        ...

    @property
    def last_day(self) -> int:
        """The local day on which the data end, counted from 1970."""
        ...
