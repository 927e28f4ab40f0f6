"""What somebody says about the files of a folder; what nobody says is found out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from td_mta.config.attribution import Config
    from td_mta.config.mmm import MediaMixConfig

SEPARATORS = {"comma": ",", "semicolon": ";", "bar": "|", "tab": "\t", "\\t": "\t"}
FORMAT = ("file_separator", "file_encoding", "file_header_line", "file_sheet")
# Parameters that name a column whose values are names: they must keep their text.
NAMING = (
    *("input_user_column", "pageviews_channel_column", "pageviews_source_column"),
    *("touchpoints_user_column", "touchpoints_channel_column", "touchpoints_source_column"),
    *("touchpoints_campaign_column", "orders_user_column", "user_column", "action_column"),
    *("order_id", "conversion_id", "spend_channel_column", "experiments_channel_column"),
)
OF_MEDIA = ("channel_column",)  # the same of the media mix


@dataclass(frozen=True, kw_only=True)
class FileOptions:
    """How files are written; None where it is to be found out."""

    separator: str | None = None  # one character
    encoding: str | None = None  # as Python names it
    header_line: int | None = None  # counted from 1
    sheet: str | None = None  # of a workbook
    name_columns: frozenset[str] = frozenset()  # in lower case: what they hold are names
    decimal_comma: bool = False  # amounts with a point are no numbers but text, as 12.000
    exact: bool = False  # as we write files: nothing is guessed, mended or left out

    @staticmethod
    def parameters() -> tuple[str, ...]:
        """The names of the parameters that matter here."""
        return (*FORMAT, *NAMING, "decimal_mark")

    @classmethod
    def of(cls, config: Config | MediaMixConfig) -> FileOptions:
        """What a run's parameters say."""
        separator = config.file_separator
        columns = [getattr(config, parameter, None) for parameter in (*NAMING, *OF_MEDIA)]
        return cls(
            separator=SEPARATORS.get(separator, separator) if separator else None,
            encoding=config.file_encoding,
            header_line=config.file_header_line,
            sheet=config.file_sheet,
            name_columns=frozenset(name.lower() for name in columns if name),
            decimal_comma=config.decimal_mark == "comma",
        )


# The files that we write ourselves.
OURS = FileOptions(separator=",", encoding="utf-8", header_line=1, exact=True)
