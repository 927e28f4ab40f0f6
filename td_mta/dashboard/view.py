"""What a page shows, as plain values: a title that states the finding, figures, charts, tables."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd
import plotly.graph_objects as go


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A picture and what it shows."""

    name: str  # of its file
    title: str
    figure: go.Figure
    caption: str = ""


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows to read and to download."""

    name: str  # of its file
    title: str
    rows: pd.DataFrame
    percents: Collection[str] = ()  # columns that hold shares
    decimals: Mapping[str, int] = field(default_factory=dict)
    caption: str = ""
    wrapped: str = ""  # the column of long texts, which go on in further lines


@dataclass(frozen=True, kw_only=True)
class Sentences:
    """Text, a list of it, or a warning."""

    lines: Sequence[str]
    title: str = ""
    is_warning: bool = False


Block = Chart | Table | Sentences


@dataclass(frozen=True, kw_only=True)
class View:
    """One page as it is set at the moment."""

    page: str  # the name of its files
    finding: str
    source: str  # what it shows
    figures: Mapping[str, str] = field(default_factory=dict)
    blocks: Sequence[Block] = ()
