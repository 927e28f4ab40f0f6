"""Queries by a grammar of Trino's SQL: what is allowed here, in any depth, each part of its kind.

A form is a kind and a text with `<kind>` for each part; `<kind!>` is a constant, `<same>` one kind
for the whole form, `<any>` any kind. The forms of functions come from the allow-list itself.
"""

import random
import re
from collections import defaultdict
from typing import NamedTuple

from td_mta.errors import MtaError
from td_mta.trino_on_datafusion.functions.registry import FUNCTIONS
from td_mta.trino_on_datafusion.types import BIGINT, Type, array
from tests.hostile.sql.tables import COLUMNS, TABLES

Names = dict[str, list[str]]  # the columns that can be named, by kind

KINDS = (*COLUMNS,)
SIMPLE = tuple(kind for kind in KINDS if not kind.startswith(("array", "real")))
SORTED = tuple(kind for kind in SIMPLE if kind != "varbinary")
ORDERED = tuple(kind for kind in SORTED if kind != "boolean")  # by greatest, max and their like
CONSTANTS = {
    "boolean": ["true", "false"],
    "tinyint": ["cast(1 as tinyint)", "cast(-128 as tinyint)"],
    "smallint": ["cast(7 as smallint)"],
    "integer": ["0", "1", "2", "-1", "7", "2147483647", "-2147483648"],
    "bigint": ["bigint '3'", "9223372036854775807", "-9223372036854775808", "1772323200", "64"],
    "real": ["null"],
    "double": ["0e0", "1.5e0", "-1e0", "1e308", "nan()", "infinity()", "0.1e0", "-0e0"],
    "decimal": ["1.5", "0.00", "-99999999.99", "12345678901234567890.5"],
    "varchar": ["'a'", "''", "'Ab c'", "'12'", "'é😀'", "'2026-03-01'", "'%'", "'x,y'", "'\u0130'"],
    "varbinary": ["to_utf8('')", "from_hex('00FF')", "to_utf8('a')"],
    "date": ["date '2026-03-01'", "date '0001-01-01'", "date '9999-12-31'"],
    "timestamp": ["timestamp '2026-03-29 02:30:00'", "timestamp '9999-12-31 23:59:59.999999'"],
    "timestamp with time zone": ["from_unixtime(0)", "from_unixtime(1772323200, 'Asia/Tokyo')"],
    "array(bigint)": ["array[bigint '1', null]", "sequence(1, 3)", "sequence(3, 1)"],
    "array(varchar)": ["array['a', null, '']", "split('a,b', ',')"],
    "pattern": ["'%a%'", "'_'", "''", "'a%'", "'%'", "'(?i)^a+$'", "'(a|b)?'", "'[^,]*'", "'\\d'"],
    "unit": ["'day'", "'hour'", "'month'", "'week'", "'year'", "'second'", "'quarter'"],
    "format": ["'%Y-%m-%d %H:%i'", "'yyyy-MM-dd'", "'%a %b'", "'EEE HH:mm:ss.SSS'", "'%W'", "''"],
    "zone": ["'UTC'", "'Asia/Tokyo'", "'America/New_York'", "'Europe/Berlin'"],
    "span": ["'-1d'", "'-30d/-1d'", "'1h'", "'-2w/now'", "'-1M'"],
}
_WORDS = {  # of constant texts among a function's parameters
    "regexp": "pattern",
    "date_trunc": "unit",
    "date_add": "unit",
    "td_date_trunc": "unit",
    "format": "format",
    "date_format": "format",
}
_OPERATORS = """
boolean: not <boolean> | <boolean> and <boolean> | <boolean> or <boolean> | <any> is null
boolean: <same> = <same> | <same> <> <same> | <same> < <same> | <same> >= <same>
boolean: <same> between <same> and <same> | <same> in (<same>, <same>) | <any> is not null
boolean: <same> is distinct from <same> | <integer> = <bigint> | <double> < <bigint>
boolean: <varchar> like <pattern!> | <varchar> not like <pattern!> escape 'a'
boolean: <real> < <double> | <decimal> < <double> | <date> < <timestamp> | <decimal> = <integer>
boolean: td_interval(<bigint>, <span!>, <zone!>) | td_time_range(<bigint>, '2026-01-01')
integer: <integer> + <integer> | <integer> - <integer> | <integer> * <integer> | - <integer>
integer: <integer> / <integer> | <integer> % <integer> | <integer> + <smallint>
integer: codepoint(chr(<integer>))
bigint: <bigint> + <integer> | <bigint> - <bigint> | <bigint> * <integer> | <bigint> / <integer>
bigint: <bigint> % <bigint> | - <bigint> | mod(<bigint>, <integer>) | cardinality(<array(bigint)>)
bigint: date_diff(<unit!>, <date>, <date>) | date_diff(<unit!>, <timestamp>, <timestamp>)
bigint: td_time_add(<bigint>, '1d') | extract(year from <date>) | td_scheduled_time()
double: <double> + <double> | <double> - <integer> | <double> * <double> | <double> / <double>
double: - <double> | <double> % <double> | <decimal> * <double> | e() | pi()
double: cast(<real> as double)
decimal: <decimal> + <decimal> | <decimal> - <integer> | <decimal> * 2 | <decimal> / 3
decimal: <decimal> % <decimal> | - <decimal> | cast(<decimal> as decimal(10, 2))
varchar: <varchar> || <varchar> | concat(<varchar>, <varchar>, <varchar>) | typeof(<any>)
varchar: trim(both 'a' from <varchar>) | substring(<varchar> from 2 for 3)
varbinary: concat(<varbinary>, <varbinary>)
timestamp with time zone: from_unixtime(<bigint>) | from_unixtime(<double>, <zone!>)
timestamp with time zone: <timestamp with time zone> at time zone <zone!>
timestamp with time zone: with_timezone(<timestamp>, <zone!>)
timestamp with time zone: from_iso8601_timestamp('2026-03-29T01:30:00+02:00')
array(bigint): array[<bigint>, <bigint>] | array[]
array(varchar): array[<varchar>, <varchar>]
"""
_CHOICES = (
    "case when <boolean> then <same> else <same> end",
    "case <integer> when 1 then <same> when 7 then <same> end",
    "if(<boolean>, <same>, <same>)",
    "if(<boolean>, <same>)",
    "coalesce(<same>, <same>)",
    "coalesce(<same>, <same>, <same>)",
    "nullif(<same>, <same>)",
)
_CHOICES_BY_ORDER = (
    "greatest(<same>, <same>)",
    "least(<same>, <same>, <same>)",
    "(select max(<column>) from tame)",
)
_CASTS = {"decimal": "decimal(10, 2)", "timestamp": "timestamp(6)"}
_AGGREGATES = """
bigint: count(*) | count(<any>) | count(distinct <any>) | count_if(<boolean>) | sum(<bigint>)
bigint: sum(<integer>) | sum(distinct <bigint>) | bitwise_and_agg(<bigint>)
bigint: bitwise_or_agg(<integer>) | approx_distinct(<any>) | approx_percentile(<bigint>, 0.5)
double: avg(<bigint>) | avg(<double>) | sum(<double>) | stddev(<double>) | variance(<integer>)
double: stddev_pop(<double>) | var_pop(<bigint>) | corr(<double>, <double>)
double: geometric_mean(<double>) | approx_percentile(<double>, 0.9)
decimal: sum(<decimal>) | sum(<decimal>) filter (where <boolean>)
boolean: bool_and(<boolean>) | bool_or(<boolean>) | every(<boolean>) | arbitrary(<boolean>)
varbinary: checksum(<varchar>)
array(bigint): array_agg(<bigint> order by <any>, <bigint>)
array(varchar): array_agg(<varchar> order by <bigint> desc, <varchar>)
bigint: sum(<bigint>) filter (where <boolean>) | count(*) filter (where <boolean>)
bigint: element_at(map_agg(<varchar>, <bigint>), 'a') | element_at(histogram(<varchar>), '')
"""
_ANY_AGGREGATE = "max(<same>)", "min(<same>)", "max_by(<same>, <bigint>)", "min_by(<same>, <any>)"
_WINDOWS = """
bigint: row_number() over (order by <any>, id) | rank() over (partition by <any> order by <any>)
bigint: dense_rank() over (order by <any> desc nulls first) | ntile(3) over (order by id)
bigint: count(<any>) over (partition by <any>) | count(*) over ()
bigint: sum(<bigint>) over (partition by k order by id rows between 2 preceding and current row)
bigint: sum(<integer>) over (order by <bigint>) | max(<bigint>) over (order by <integer>, id)
double: percent_rank() over (order by <any>) | cume_dist() over (partition by k order by <any>)
double: avg(<double>) over (partition by <integer>) | sum(<double>) over (order by id)
"""
_ANY_WINDOW = (
    "lag(<same>) over (partition by k order by id)",
    "lead(<same>, 2) ignore nulls over (order by <any>, id)",
    "first_value(<same>) over (partition by k order by id)",
    "last_value(<same>) ignore nulls over (order by id)",
    "nth_value(<same>, 2) over (order by id rows between unbounded preceding and current row)",
    "min(<same>) over (partition by <any>)",
)
_PART = re.compile(r"<([a-z() ]+)(!?)>")


def _forms(text: str, kinds: tuple[str, ...], of_any: tuple[str, ...]) -> dict[str, list[str]]:
    forms: dict[str, list[str]] = defaultdict(list)
    for line in text.strip().splitlines():
        kind, _, options = line.partition(": ")
        forms[kind] += options.split(" | ")
    for kind in kinds:
        forms[kind] += [form.replace("<same>", f"<{kind}>") for form in of_any]
    return forms


def _functions() -> dict[str, list[str]]:
    """A form for each row of the allow-list."""
    forms: dict[str, list[str]] = defaultdict(list)
    for name, overloads in FUNCTIONS.items():
        for overload in overloads:
            if "map!" in overload.params:
                continue
            for elements in ("bigint", "varchar"):
                params = [param.replace("array", f"array({elements})") for param in overload.params]
                kind = _returned(overload.returns, params)
                if kind in KINDS and name != "$like":
                    parts = ", ".join(_parameter(name, param) for param in params)
                    forms[kind].append(f"{name}({parts})")
    return forms


def _returned(returns: object, params: list[str]) -> str:
    """The kind of what a function gives; none where that depends on more than kinds."""
    plain = [param.rstrip("!=") for param in params]
    types = [array(BIGINT) if kind.startswith("array") else Type(kind) for kind in plain]
    try:
        kind = returns if isinstance(returns, Type) else returns(types, [])
    except MtaError:
        return ""
    return str(kind) if kind.kind == "array" else kind.kind


def _parameter(name: str, param: str) -> str:
    kind, is_constant = param.rstrip("!="), param.endswith("!")
    if is_constant and kind == "varchar":
        kind = next((word for start, word in _WORDS.items() if name.startswith(start)), kind)
        kind = "zone" if name.startswith("td_") and kind == "varchar" else kind
    if is_constant and kind == "bigint":
        kind = "integer"
    return f"<{kind}{'!' if is_constant else ''}>"


def _expressions() -> dict[str, list[str]]:
    forms = _forms(_OPERATORS, SIMPLE, _CHOICES)
    for kind in ORDERED:
        column = COLUMNS[kind][0]
        by_order = [form.replace("<column>", column) for form in _CHOICES_BY_ORDER]
        forms[kind] += [form.replace("<same>", f"<{kind}>") for form in by_order]
    for kind, functions in _functions().items():
        forms[kind] += functions
    for kind in SIMPLE:
        forms[kind].append(f"cast(<any> as {_CASTS.get(kind, kind)})")
        forms[kind].append(f"try_cast(<any> as {_CASTS.get(kind, kind)})")
    return forms


EXPRESSIONS = _expressions()
AGGREGATES = _forms(_AGGREGATES, ORDERED, _ANY_AGGREGATE)
WINDOWS = _forms(_WINDOWS, ORDERED, _ANY_WINDOW)


class Source(NamedTuple):
    """What stands after FROM, and the columns that it gives."""

    text: str
    names: Names


class Query(NamedTuple):
    """A query whose columns are called c0, c1, ... of these kinds."""

    text: str
    kinds: list[str]


class Grammar:
    """Random parts of queries; the same random numbers give the same."""

    def __init__(self, source: random.Random) -> None:
        self.random = source

    def kind(self) -> str:
        return self.random.choice(SIMPLE)

    def expression(self, kind: str, names: Names, depth: int = 2) -> str:
        """An expression of a kind over these columns, of at most so many calls in each other."""
        forms = EXPRESSIONS.get(kind)
        if depth <= 0 or not forms or self.random.random() < 0.25:
            return self.leaf(kind, names)
        return self.filled(self.random.choice(forms), names, depth - 1)

    def leaf(self, kind: str, names: Names) -> str:
        """A column, a constant or NULL."""
        columns = names.get(kind)
        if columns and self.random.random() < 0.7:
            return self.random.choice(columns)
        if kind in COLUMNS and self.random.random() < 0.1:
            null = {"decimal": "decimal(10, 2)"}.get(kind, kind)
            return f"cast(null as {null})"
        return self.random.choice(CONSTANTS[kind])

    def filled(self, form: str, names: Names, depth: int) -> str:
        """A form with its parts, in parentheses."""
        same = self.kind()

        def part(match: re.Match[str]) -> str:
            kind = {"same": same, "any": self.kind()}.get(match[1], match[1])
            if match[2]:
                return self.random.choice(CONSTANTS[kind])
            return self.expression(kind, names, depth)

        return f"({_PART.sub(part, form)})"

    def condition(self, names: Names, depth: int = 2) -> str:
        return self.expression("boolean", names, depth)

    def table(self, alias: str = "") -> Source:
        """One of the tables."""
        name = self.random.choices(TABLES, (3, 2, 1))[0]
        prefix = f"{alias}." if alias else ""
        names = {kind: [prefix + column for column in found] for kind, found in COLUMNS.items()}
        return Source(f"{name} {alias}".strip(), names)

    def joined(self) -> Source:
        """Two tables with each other."""
        left, right = self.table("x"), self.table("y")
        names = {kind: left.names[kind] + right.names[kind] for kind in KINDS}
        how = self.random.choice(["join", "left join", "right join", "full join"])
        key = self.random.choice(["x.k = y.k", "x.s = y.s", "x.id = y.id", "x.n < y.n"])
        on = self.random.choice([key, f"{key} and {self.condition(names, 1)}"])
        return Source(f"{left.text} {how} {right.text} on {on}", names)

    def unnested(self) -> Source:
        """A table beside the elements of its lists."""
        table = self.table("x")
        kind = self.random.choice(["bigint", "varchar"])
        array_ = self.expression(f"array({kind})", table.names, 1)
        names = {**table.names, kind: [*table.names[kind], "element"]}
        text = f"{table.text} cross join unnest({array_})"
        if self.random.random() < 0.5:
            names["bigint"] = [*names["bigint"], "place"]
            return Source(f"{text} with ordinality as u(element, place)", names)
        return Source(f"{text} as u(element)", names)

    def derived(self, depth: int) -> Source:
        """A query in FROM."""
        query = self.query(depth - 1)
        names: Names = defaultdict(list)
        for position, kind in enumerate(query.kinds):
            names[kind].append(f"c{position}")
        return Source(f"({query.text}) q", names)

    def source(self, depth: int = 1) -> Source:
        makers = [self.table, self.table, self.joined, self.unnested]
        if depth > 0 and self.random.random() < 0.3:
            return self.derived(depth)
        return self.random.choice(makers)()

    def where(self, names: Names) -> str:
        if self.random.random() < 0.4:
            return ""
        inner = self.random.choice(
            [
                "{}",
                "{}",
                "exists (select 1 from tame z where z.k = 1 and {})",
                f"{self.leaf('integer', names)} in (select i from wild) and {{}}",
                f"{{}} and {self.leaf('varchar', names)} not in (select t from tame)",
            ]
        )
        return " where " + inner.replace("{}", self.condition(names))

    def query(self, depth: int = 1) -> Query:
        """A query that may hold others."""
        makers = [self.plain, self.plain, self.grouped, self.windowed]
        if depth > 0:
            makers += [self.united, self.named]
        return self.random.choice(makers)(depth)

    def plain(self, depth: int) -> Query:
        source = self.source(depth)
        kinds = self.random.choices(KINDS, k=self.random.randint(1, 3))
        values = [self.expression(kind, source.names) for kind in kinds]
        items = ", ".join(f"{value} as c{place}" for place, value in enumerate(values))
        distinct = self.random.choice(["", "", "distinct "])
        text = f"select {distinct}{items} from {source.text}{self.where(source.names)}"
        return Query(text + self.end(len(kinds)), kinds)

    def end(self, columns: int) -> str:
        """ORDER BY and LIMIT, or nothing."""
        order = f" order by {self.random.randint(1, columns)}"
        order += self.random.choice(["", " desc", " nulls first", " desc nulls first"])
        return self.random.choice(["", "", order, order + " offset 1 limit 3", " limit 2"])

    def grouped(self, depth: int) -> Query:
        source = self.source(depth)
        key_kind = self.kind()
        kinds = [self.random.choice((*AGGREGATES,)) for _ in range(self.random.randint(1, 2))]
        calls = [
            self.filled(self.random.choice(AGGREGATES[kind]), source.names, 1) for kind in kinds
        ]
        items = ", ".join(f"{call} as c{place}" for place, call in enumerate(calls, 1))
        where = self.where(source.names)
        if self.random.random() < 0.3:
            return Query(f"select 1 as c0, {items} from {source.text}{where}", ["integer", *kinds])
        key = self.expression(key_kind, source.names, 1)
        having = self.random.choice(["", "", " having count(*) > 1", f" having {calls[0]} is null"])
        text = f"select {key} as c0, {items} from {source.text}{where} group by 1{having}"
        return Query(text + self.end(1 + len(kinds)), [key_kind, *kinds])

    def windowed(self, depth: int) -> Query:
        source = self.random.choice([self.table, self.unnested])()
        kinds = [self.random.choice((*WINDOWS,)) for _ in range(2)]
        calls = [self.filled(self.random.choice(WINDOWS[kind]), source.names, 1) for kind in kinds]
        items = ", ".join(f"{call} as c{place}" for place, call in enumerate(calls))
        return Query(f"select {items} from {source.text}{self.where(source.names)}", kinds)

    def united(self, depth: int) -> Query:
        kinds = self.random.choices(SIMPLE, k=2)
        sides = []
        for _ in range(self.random.randint(2, 3)):
            source = self.source(depth - 1)
            values = [self.expression(kind, source.names, 1) for kind in kinds]
            items = ", ".join(f"{value} as c{place}" for place, value in enumerate(values))
            sides.append(f"select {items} from {source.text}{self.where(source.names)}")
        word = self.random.choice([" union all ", " union ", " intersect ", " except "])
        return Query(word.join(sides) + self.end(2), kinds)

    def named(self, depth: int) -> Query:
        inner = self.query(depth - 1)
        columns = ", ".join(f"c{place}" for place in range(len(inner.kinds)))
        tail = self.random.choice(["", " where c0 is not null", " union all select * from w"])
        return Query(f"with w as ({inner.text}) select {columns} from w{tail}", inner.kinds)
