"""Which columns of a table of paths hold the paths, their conversions, value and nulls."""

import re
from collections.abc import Collection, Sequence
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from td_mta.config.attribution import Config
from td_mta.errors import DataError
from td_mta.ingest import usual_names
from td_mta.ingest.finding.usual_names import CONVERSION, TIME, USER, plain
from td_mta.ingest.path_tables import cells
from td_mta.ingest.values import plain_columns
from td_mta.warehouse import Warehouse
from td_mta.warehouse.names import find_column, same_column

PATHS = (
    *("path", "paths", "conversion_path", "conversion_paths", "channel_path", "touchpoint_path"),
    *("journey", "journeys", "customer_journey", "user_journey", "touchpoints", "touches"),
    *("default_channel_grouping_path", "mcf_channel_grouping_path", "channel_grouping_path"),
    *("default_channel_group_path", "source_medium_path", "source_path", "campaign_path"),
    *("channels_agg", "channels", "channel", "marketing_path", "steps", "sequence", "pfad"),
    *("pathway", "pathways", "user_path", "customer_path", "touch_path", "journey_path", "route"),
    *("chemin", "parcours", "ruta", "camino", "caminho", "percorso", "转化路径", "路径"),
    *("経路", "コンバージョン経路", "경로", "전환경로", "путь", "путь_конверсии"),
)
CONVERSIONS = (
    *("total_conversions", "conversions", "total_conversion", "conversion", "converted", "conv"),
    *("convs", "key_events", "transactions", "orders", "purchases", "sales", "converted_agg"),
    *("has_conversion", "has_converted", "is_converted", "is_conversion", "konversionen"),
    *("conversion_count", "conversions_count", "num_conversions", "n_conversions", "converters"),
    *("conversiones", "conversoes", "conversioni", "conversies", "转化次数", "转化数"),
    *("コンバージョン数", "전환수", "конверсии"),
)
VALUES = (
    *("total_conversion_value", "total_conversions_value", "conversion_value", "total_value"),
    *("conversions_value", "total_revenue", "purchase_revenue", "revenue", "value", "umsatz"),
    *(
        "conversion_revenue",
        "total_sales",
        "konversionswert",
        "wert",
        "valeur",
        "valor",
        "转化价值",
        "金额",
        "売上",
        "выручка",
    ),
)
NULLS = (
    *("total_null", "total_nulls", "null_paths", "nulls", "null", "total_null_conversions"),
    *("non_conversions", "nonconversions", "no_conversions", "not_converted", "non_converting"),
    *("total_non_conversions", "total_no_conversion", "no_conversion", "null_conversions"),
    *("keine_konversion", "keine_konversionen", "ohne_konversion", "sans_conversion"),
    *("sin_conversion", "senza_conversione", "sem_conversao", "geen_conversie"),
)
WIDE = ("touch", "touchpoint", "channel", "step", "tp", "kanal", "interaction", "visit", "source")
PATHS_AT_LEAST = 0.2  # of the cells of a column with another name
OF_FLAGS = -4  # the last rows of names are those of columns of events
NUMBERED = re.compile(r"(.*?)[\W_]*0*([0-9]+)")


class PathTable(NamedTuple):
    """A table of paths and its columns."""

    table: str
    touches: tuple[str, ...]  # the column of paths, or one for each touch in their order
    separator: str | None  # None for lists, and for a column for each touch
    conversions: str | None
    value: str | None
    nulls: str | None

    @property
    def columns(self) -> list[str]:
        """All that is read, each once."""
        named = (self.conversions, self.value, self.nulls)
        return list(dict.fromkeys([*self.touches, *(name for name in named if name)]))


def find(config: Config, chosen: Collection[str], warehouse: Warehouse) -> PathTable | None:
    """The table as one of paths; None where it is one of touches, which have a user and a time.

    `chosen` are the parameters that the user set. `path_separator` and `null_paths_column` say that
    it is one of paths.
    """
    try:
        names = warehouse.columns(config.table)
    except DataError:
        return None  # whoever reads touches says more of a missing table
    has_user = _has(names, USER.rows[:2], "user_column", config, chosen)
    has_time = _has(names, TIME.rows, "time_column", config, chosen)
    is_said = bool({"path_separator", "null_paths_column"} & set(chosen))
    if has_user and has_time and not is_said:
        return None
    named = config.action_column if "action_column" in chosen else None
    touches = _wide(names, named)
    if touches:
        return _with_counts(config, chosen, names, touches, None)
    column = _path_column(names, named, config.table, warehouse)
    if column is None and not has_user and not has_time:
        column = _by_content(names, config.table, warehouse)
    if column is None:
        return None
    sample = _sample(config.table, column, warehouse)
    separator = config.path_separator or _separator(sample)
    may_be_a_name = separator in cells.WEAK and (has_user or has_time)
    if not is_said and not cells.are_lists(sample) and (separator is None or may_be_a_name):
        return None
    if not is_said and has_time and cells.are_single(sample):
        return None
    return _with_counts(config, chosen, names, (column,), separator)


def _separator(sample: pa.Array) -> str | None:
    is_text = pa.types.is_string(sample.type) and not cells.are_lists(sample)
    return cells.separator_of(sample) if is_text else None


def check_no_paths(channels: Sequence[str], location: str) -> None:
    """Refuse channels that are whole paths, of which most names are first and later touches.

    A hierarchy, such as `Ads > Search`, has other names on each level. `location` names the column.
    """
    for separator in (" > ", " -> ", " \N{RIGHTWARDS ARROW} "):
        paths = [name.split(separator) for name in channels]
        first = {path[0] for path in paths}
        later = {name for path in paths for name in path[1:]}
        longer = [path for path in paths if len(path) > 1]
        if 2 * len(longer) > len(paths) and 2 * len(first & later) >= len(first | later):
            raise DataError(
                f"{location} must hold one channel in each row, got paths such as "
                f"{separator.join(longer[0])!r}: set path_separator={separator.strip()} for "
                "python -m td_mta.main, which reads tables of paths; the workflow does not"
            )


def _has(
    names: Sequence[str],
    usual: Sequence[Sequence[str]],
    parameter: str,
    config: Config,
    chosen: Collection[str],
) -> bool:
    """Whether the table has a column of that role, by the parameter or by a usual name."""
    if parameter in chosen or same_column(getattr(config, parameter), names):
        return True
    every = {name for row in usual for name in row}
    return any(plain(name) in every for name in names)


def _wide(names: Sequence[str], named: str | None) -> tuple[str, ...]:
    """Columns such as touch_1 ... touch_n, in the order of their numbers, if there are any.

    `named` is their prefix, or one of them.
    """
    by_prefix: dict[str, dict[int, str]] = {}
    for name in names:
        found = NUMBERED.fullmatch(name)
        if found:
            by_prefix.setdefault(usual_names.without_unit(found[1]), {})[int(found[2])] = name
    wanted: Sequence[str] = WIDE
    if named is not None:
        found = NUMBERED.fullmatch(named) if named in names else None
        wanted = (usual_names.without_unit(found[1] if found else named),)
    for prefix in wanted:
        numbered = by_prefix.get(prefix, {})
        if len(numbered) > 1:
            return tuple(numbered[number] for number in sorted(numbered))
    return ()


def _path_column(
    names: Sequence[str], named: str | None, table: str, warehouse: Warehouse
) -> str | None:
    """The named column, else the first of a usual name that holds paths, else of a usual name."""
    if named is not None:
        return find_column(named, names, f"table {table} (action_column)")
    usual = [name for name in (usual_names.find(names, [each]) for each in PATHS) if name]
    if len(usual) < 2:
        return next(iter(usual), None)
    samples = {name: _sample(table, name, warehouse) for name in usual}
    holding = (n for n, cell in samples.items() if cells.are_lists(cell) or _separator(cell))
    return next(holding, usual[0])


def _by_content(names: Sequence[str], table: str, warehouse: Warehouse) -> str | None:
    """The first column of which many cells have an arrow between names, whatever it is called."""
    for name in names:
        sample = _sample(table, name, warehouse)
        separator = _separator(sample)
        if separator not in cells.STRONG or separator == "|":
            continue
        if pc.mean(pc.match_substring(sample, separator).cast(pa.int8())).as_py() >= PATHS_AT_LEAST:
            return name
    return None


def _sample(table: str, column: str, warehouse: Warehouse) -> pa.Array:
    """The first rows of the column, enough to see separators."""
    empty = pa.array([], pa.string())
    try:
        batch = next(plain_columns.read(warehouse, table, [column], lists=True), None)
    except DataError:  # no text at all; whoever needs the column says so
        return empty
    return empty if batch is None else batch.column(0)


def _with_counts(
    config: Config,
    chosen: Collection[str],
    names: Sequence[str],
    touches: tuple[str, ...],
    separator: str | None,
) -> PathTable:
    others = [name for name in names if name not in touches]

    def column(parameter: str, usual: Sequence[str]) -> str | None:
        named: str | None = getattr(config, parameter)
        if named is not None and parameter in chosen:
            return find_column(named, names, f"table {config.table} ({parameter})")
        return usual_names.find(others, usual)

    flags = [name for row in CONVERSION.rows[:OF_FLAGS] for name in row]
    return PathTable(
        table=config.table,
        touches=touches,
        separator=separator,
        conversions=column("conversion_column", [*CONVERSIONS, *flags]),
        value=column("value_column", VALUES),
        nulls=column("null_paths_column", NULLS),
    )
