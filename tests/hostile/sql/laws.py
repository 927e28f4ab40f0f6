"""Equal spellings: two lists of queries whose rows together are the same, in any order."""

import random
import re
from collections.abc import Callable
from typing import NamedTuple

from tests.hostile.sql.grammar import CONSTANTS, KINDS, ORDERED, SIMPLE, SORTED, Grammar, Names

_COMPARED = tuple(kind for kind in ORDERED if kind != "double")  # NaN is not >= and not < either
_SUMMED = ("integer", "bigint", "decimal")  # whose sums do not depend on the order


class Law(NamedTuple):
    """Both sides have the same rows, where all of their queries are answered."""

    name: str
    left: list[str]
    right: list[str]


Sides = tuple[list[str], list[str]]


def _items(g: Grammar, names: Names) -> str:
    kinds = g.random.choices(SIMPLE, k=g.random.randint(1, 2))
    return ", ".join(_shown(g.expression(kind, names), kind) for kind in kinds)


def _shown(value: str, kind: str) -> str:
    """As something that is told apart, and that has a form in JSON."""
    return f"to_hex({value})" if kind == "varbinary" else value


def where_p_its_opposite_and_null_part_the_rows(g: Grammar) -> Sides:
    source = g.source()
    condition, select = g.condition(source.names), f"select {_items(g, source.names)}"
    whole = f"{select} from {source.text}"
    tests = (condition, f"not {condition}", f"{condition} is null")
    return [whole], [f"{whole} where {test}" for test in tests]


def halves_are_the_whole(g: Grammar) -> Sides:
    """Also: a value does not depend on the rows beside it."""
    table = g.table()
    whole = f"select id, {_items(g, table.names)} from {table.text}"
    middle = g.random.randint(1, 9)
    tests = (f"id < {middle}", f"id >= {middle}")
    return [whole], [" union all ".join(f"{whole} where {test}" for test in tests)]


def and_and_or_do_not_depend_on_the_order(g: Grammar) -> Sides:
    source = g.source()
    first, second = g.condition(source.names), g.condition(source.names)
    word = g.random.choice(["and", "or"])
    items = _items(g, source.names)
    left = f"{first} {word} {second}"
    right = f"{second} {word} {first}"
    if g.random.random() < 0.5:
        other = "or" if word == "and" else "and"
        right = f"not ((not {first}) {other} (not {second}))"
    if g.random.random() < 0.5:
        return (
            [f"select {items} from {source.text} where {left}"],
            [f"select {items} from {source.text} where {right}"],
        )
    return [f"select {left} from {source.text}"], [f"select {right} from {source.text}"]


def groups_sum_up_to_the_whole(g: Grammar) -> Sides:
    source = g.source()
    value = g.expression(g.random.choice(_SUMMED), source.names)
    key = g.expression(g.kind(), source.names, 1)
    where = g.where(source.names)
    word, outer = g.random.choice(
        [("sum", "sum"), ("max", "max"), ("min", "min"), ("count", "sum")]
    )
    groups = f"select {key} as c, {word}({value}) as s from {source.text}{where} group by 1"
    whole = f"select {word}({value}) from {source.text}{where}"
    if word == "count":
        return [f"select coalesce({outer}(s), 0) from ({groups}) q"], [whole]
    return [f"select {outer}(s) from ({groups}) q"], [whole]


def a_filter_is_a_count(g: Grammar) -> Sides:
    source = g.source()
    test = g.condition(source.names)
    counted = f"select count(*) from {source.text} where {test}"
    other = g.random.choice(
        [
            f"select count_if({test}) from {source.text}",
            f"select coalesce(sum(case when {test} then 1 else 0 end), 0) from {source.text}",
            f"select count(*) filter (where {test}) from {source.text}",
            f"select count(*) from (select 1 as c0 from {source.text} where {test}) q",
            f"select count(*) from (select {test} as c0 from {source.text}) q where c0",
            f"select count(case when {test} then 'x' end) from {source.text}",
        ]
    )
    return [counted], [other]


def a_query_in_from_is_itself(g: Grammar) -> Sides:
    table = g.table()
    kinds = g.random.choices(SIMPLE, k=2)
    values = [_shown(g.expression(kind, table.names), kind) for kind in kinds]
    select = f"select {', '.join(f'{value} as c{n}' for n, value in enumerate(values))}"
    where = g.where(table.names)
    plain = f"{select} from {table.text}{where}"
    other = g.random.choice(
        [
            f"select * from ({plain}) q",
            f"with w as ({plain}) select c0, c1 from w",
            f"{select} from (select * from {table.text}) q{where}",
            f"with w as (select * from {table.text}) {select} from w{where}",
            f"select c0, c1 from (select *, 1 as extra from ({plain}) p) q where extra = 1",
            f"{select} from (select * from {table.text} order by id limit 100) q{where}",
        ]
    )
    return [plain], [other]


_PAIRS = [  # a and b are of one kind, p and q conditions, v one of two values
    ("a in (a, b)", "a = a or a = b"),
    ("a = b", "b = a"),
    ("a <> b", "not a = b"),
    ("a is distinct from b", "not a is not distinct from b"),
    ("if(p, a, b)", "case when p then a else b end"),
    ("if(p, a)", "case when p then a else null end"),
    ("coalesce(a, b)", "case when a is not null then a else b end"),
    ("nullif(a, b)", "case when a = b then null else a end"),
    ("case a when b then 1 else 2 end", "case when a = b then 1 else 2 end"),
    ("case when p then 1 end is null", "not coalesce(p, false)"),
    ("p", "not (not p)"),
    ("p is null", "not (p is not null)"),
    ("coalesce(p, q)", "if(p is null, q, p)"),
    ("p = q", "(p and q) or (not p and not q)"),
]
_SORTED_PAIRS = [
    ("a < b", "b > a"),
    ("a <= b", "b >= a"),
    ("a between b and a", "a >= b and a <= a"),
    ("greatest(a, b)", "greatest(b, a)"),
    ("least(a, b)", "least(b, a)"),
]
_COMPARED_PAIRS = [
    ("a <= b", "a < b or a = b"),
    ("a < b", "not a >= b"),
    ("greatest(a, b)", "if(a is null or b is null, null, if(a >= b, a, b))"),
    ("least(a, b)", "if(a is null or b is null, null, if(a >= b, b, a))"),
]
_OF_KIND = {
    "varchar": [
        ("reverse(reverse(a))", "a"),
        ("from_utf8(to_utf8(a))", "a"),
        ("a || b", "concat(a, b)"),
        ("strpos(a, 'a') > 0", "a like '%a%'"),
        ("a like 'a%'", "starts_with(a, 'a')"),
        ("length(a || b)", "length(a) + length(b)"),
        ("substr(a, 1, 1) || substr(a, 2)", "a"),
        ("split_part(a, ',', 1)", "element_at(split(a, ','), 1)"),
        ("array_join(split(a, ','), ',')", "a"),
        ("trim(a)", "ltrim(rtrim(a))"),
        ("a like '%' ", "a is not null or null"),
        ("replace(a, 'a', 'a')", "a"),
        ("regexp_like(a, 'a')", "a like '%a%'"),
        ("upper(upper(a))", "upper(a)"),
    ],
    "bigint": [
        ("cast(cast(a as varchar) as bigint)", "a"),
        ("from_big_endian_64(to_big_endian_64(a))", "a"),
        ("bitwise_not(bitwise_not(a))", "a"),
        ("bitwise_xor(a, b)", "bitwise_xor(b, a)"),
        ("a + b", "b + a"),
        ("a * b", "b * a"),
        ("a - b", "- (b - a)"),
        ("(a / b) * b + a % b", "if(b is null, null, a)"),
        ("try_cast(a as integer)", "if(a between -2147483648 and 2147483647, a)"),
        ("from_unixtime(a) < from_unixtime(b)", "a < b"),
        ("cast(cast(a as decimal(19, 0)) as bigint)", "a"),
    ],
    "integer": [
        ("cast(cast(a as varchar) as integer)", "a"),
        ("cast(cast(a as double) as integer)", "a"),
        ("cast(a as bigint) + b", "b + cast(a as bigint)"),
        ("abs(cast(a as bigint))", "if(a < 0, - cast(a as bigint), cast(a as bigint))"),
    ],
    "double": [
        ("cast(cast(a as varchar) as double)", "a"),
        ("a + b", "b + a"),
        ("a * b", "b * a"),
        ("is_nan(a)", "a <> a"),
        ("is_finite(a)", "not is_nan(a) and not is_infinite(a)"),
        ("abs(a)", "abs(- a)"),
        ("floor(a)", "- ceil(- a)"),
    ],
    "decimal": [
        ("a + b", "b + a"),
        ("cast(a as double) < cast(b as double)", "cast(b as double) > cast(a as double)"),
        ("- (- a)", "a"),
    ],
    "varbinary": [
        ("to_hex(from_hex(to_hex(a)))", "to_hex(a)"),
        ("md5(a) = md5(b)", "to_hex(a) = to_hex(b)"),
    ],
    "date": [
        ("cast(cast(a as varchar) as date)", "a"),
        ("cast(a as timestamp) < cast(b as timestamp)", "a < b"),
        ("date_trunc('day', a)", "a"),
        ("date_diff('day', a, b)", "- date_diff('day', b, a)"),
        ("extract(month from a)", "month(a)"),
        ("date_add('day', date_diff('day', a, b), a)", "if(a is not null, b)"),
        ("date_trunc('month', a) <= a", "a is not null or null"),
    ],
    "timestamp": [
        ("cast(cast(a as varchar) as timestamp(6))", "a"),
        ("cast(a as date)", "date(a)"),
        ("cast(date_trunc('day', a) as date)", "cast(a as date)"),
        ("date_trunc('hour', date_trunc('minute', a))", "date_trunc('hour', a)"),
    ],
    "timestamp with time zone": [
        ("a at time zone 'Asia/Tokyo' = a", "a = a"),
        ("to_unixtime(a) < to_unixtime(b)", "date_diff('second', a, b) > 0 and a < b"),
        ("cast(a as date)", "date(a)"),
    ],
    "boolean": [
        ("cast(cast(a as varchar) as boolean)", "a"),
        ("cast(a as integer) = 1", "a"),
    ],
}
_WORD = re.compile(r"\b[abpq]\b")


def two_spellings_of_a_value(g: Grammar) -> Sides:
    kind = g.random.choice(SIMPLE)
    pairs = list(_PAIRS if g.random.random() < 0.5 else _OF_KIND.get(kind, _PAIRS))
    pairs += _SORTED_PAIRS if kind in ORDERED else []
    pairs += _COMPARED_PAIRS if kind in _COMPARED else []
    table = g.table()
    depth = g.random.randint(0, 2)
    meant = {letter: g.expression(kind, table.names, depth) for letter in "ab"}
    meant |= {letter: g.condition(table.names, depth) for letter in "pq"}
    pair = [_outside_quotes(side, meant) for side in g.random.choice(pairs)]
    if kind == "varbinary":
        return _of_bytes(pair, table.text)
    left, right = (f"select id, {side} from {table.text}" for side in pair)
    return [left], [right]


def _of_bytes(pair: list[str], table: str) -> Sides:
    left, right = (
        f"select id, typeof({side}), count(*) from {table} group by 1, {side}" for side in pair
    )
    return [left], [right]


def _outside_quotes(text: str, meant: dict[str, str]) -> str:
    parts = text.split("'")
    parts[::2] = [_WORD.sub(lambda match: meant[match[0]], part) for part in parts[::2]]
    return "'".join(parts)


def a_constant_is_a_column_of_one_row(g: Grammar) -> Sides:
    """What is computed beforehand is what the rows would give."""
    value_of = {f"v_{n}": g.random.choice(CONSTANTS[kind]) for n, kind in enumerate(SIMPLE)}
    kind_of = dict(zip(value_of, SIMPLE, strict=True))
    names: Names = {kind: [name] for name, kind in kind_of.items()}
    kind = g.random.choice(SORTED)
    value = g.expression(kind, names)
    used = sorted(set(re.findall(r"\bv_\d+\b", value))) or ["v_0"]
    row = ", ".join(value_of[name] for name in used)
    written = re.sub(r"\bv_\d+\b", lambda match: f"({value_of[match[0]]})", value)
    return (
        [f"select {written}, typeof({written})"],
        [f"select {value}, typeof({value}) from (values ({row})) v({', '.join(used)})"],
    )


def distinct_is_a_group(g: Grammar) -> Sides:
    source = g.source()
    values = [g.expression(g.random.choice(SORTED), source.names) for _ in range(2)]
    items = ", ".join(f"{value} as c{n}" for n, value in enumerate(values))
    text = f"select {items} from {source.text}{g.where(source.names)}"
    distinct = text.replace("select", "select distinct", 1)
    other = g.random.choice(
        [
            f"{text} group by 1, 2",
            f"{text} union {text}",
            f"{text} intersect {text}",
            f"select c0, c1 from (select c0, c1, count(*) as n from ({text}) q group by c0, c1) p",
            f"{text} except select c0, c1 from ({text}) q where 1 = 0",
        ]
    )
    return [distinct], [other]


def a_join_is_a_filtered_product(g: Grammar) -> Sides:
    left, right = g.table("x"), g.table("y")
    names = {kind: left.names[kind] + right.names[kind] for kind in KINDS}
    on = g.condition(names)
    if g.random.random() < 0.6:
        on = f"x.k = y.k and {on}"
    items = f"x.id, y.id, {_items(g, names)}"
    inner = f"select {items} from {left.text} join {right.text} on {on}"
    choice = g.random.randrange(5)
    if choice == 0:
        return [inner], [f"select {items} from {left.text}, {right.text} where {on}"]
    if choice == 1:
        return [inner], [f"select {items} from {right.text} join {left.text} on {on}"]
    if choice == 2:
        without = f"select x.id from {left.text} left join {right.text} on {on} where y.id is null"
        none = (
            f"select x.id from {left.text} where not exists (select 1 from {right.text} where {on})"
        )
        return [without], [none]
    if choice == 3:
        first = f"select {items} from {left.text} left join {right.text} on {on}"
        return [first], [f"select {items} from {right.text} right join {left.text} on {on}"]
    full = f"select x.id, y.id from {left.text} full join {right.text} on {on}"
    parts = [
        f"select x.id, y.id from {left.text} left join {right.text} on {on}",
        f"select x.id, y.id from {left.text} right join {right.text} on {on} where x.id is null",
    ]
    return [full], parts


def a_member_of_a_query(g: Grammar) -> Sides:
    kind = g.random.choice(["integer", "bigint", "varchar", "date", "boolean"])
    outer, inner = g.table("x"), g.table("y")
    value, other = g.expression(kind, outer.names, 1), g.expression(kind, inner.names, 1)
    test = g.condition(inner.names, 1)
    items = f"select x.id from {outer.text} where "
    query = f"select {other} from {inner.text} where {test}"
    if g.random.random() < 0.5:
        right = f"exists (select 1 from {inner.text} where {test} and {other} = {value})"
        return [f"{items}{value} in ({query})"], [items + right]
    maybe = f"({other} = {value} or {other} is null or {value} is null)"
    right = f"not exists (select 1 from {inner.text} where {test} and {maybe})"
    return [f"{items}{value} not in ({query})"], [items + right]


def the_first_rows_have_the_first_numbers(g: Grammar) -> Sides:
    source = g.table()
    kind = g.random.choice(SORTED)
    key = g.expression(kind, source.names)
    way = g.random.choice(["", " desc", " nulls first", " desc nulls first"])
    first = g.random.randint(1, 5)
    number = f"row_number() over (order by {key}{way}, id)"
    numbered = f"select id, {number} as place from {source.text}"
    if g.random.random() < 0.5:
        back = {"": " desc nulls first", " desc": " nulls first"}.get(way, "")
        back = {" nulls first": " desc", " desc nulls first": ""}.get(way, back)
        reverse = f"count(*) over () + 1 - row_number() over (order by {key}{back}, id desc)"
        return [numbered], [f"select id, {reverse} from {source.text}"]
    return (
        [f"select id from {source.text} order by {key}{way}, id limit {first}"],
        [f"select id from ({numbered}) q where place <= {first}"],
    )


def a_window_is_a_joined_group(g: Grammar) -> Sides:
    table = g.table()
    key = g.random.choice(["k", "b", "s", "day", "i", "e"])
    value = g.expression(g.random.choice(_SUMMED), table.names, 1)
    word = g.random.choice(["sum", "count", "max", "min"])
    keyed = f"select id, {key} as c, {value} as v from {table.text}"
    window = f"select id, {word}(v) over (partition by c) from ({keyed}) q"
    groups = f"select c, {word}(v) as v from ({keyed}) q group by c"
    same = "(l.c = r.c or (l.c is null and r.c is null))"
    if key == "e":
        same = f"({same} or (l.c <> l.c and r.c <> r.c))"
    return [window], [f"select l.id, r.v from ({keyed}) l join ({groups}) r on {same}"]


def an_aggregates_filter_is_a_case(g: Grammar) -> Sides:
    source = g.source()
    value, test = g.expression(g.random.choice(_SUMMED), source.names), g.condition(source.names)
    word = g.random.choice(["sum", "count", "max", "min", "bitwise_or_agg"])
    key = g.random.choice(["", "k, "]) if "k" in source.names.get("integer", []) else ""
    end = " group by 1" if key else ""
    left = f"{word}({value}) filter (where {test})"
    right = f"{word}(case when {test} then {value} end)"
    return (
        [f"select {key}{left} from {source.text}{end}"],
        [f"select {key}{right} from {source.text}{end}"],
    )


def lists_have_what_they_were_made_of(g: Grammar) -> Sides:
    table = g.table()
    kind = g.random.choice(["bigint", "varchar"])
    array = g.expression(f"array({kind})", table.names)
    if g.random.random() < 0.5:
        return (
            [f"select count(*) from {table.text} cross join unnest({array}) u(element)"],
            [f"select coalesce(sum(cardinality({array})), 0) from {table.text}"],
        )
    value = g.expression(kind, table.names)
    collected = f"select array_agg({value} order by id) as every from {table.text}"
    return (
        [f"select element from ({collected}) q cross join unnest(every) u(element)"],
        [f"select {value} from {table.text}"],
    )


LAWS: list[Callable[[Grammar], Sides]] = [
    where_p_its_opposite_and_null_part_the_rows,
    halves_are_the_whole,
    and_and_or_do_not_depend_on_the_order,
    groups_sum_up_to_the_whole,
    a_filter_is_a_count,
    a_query_in_from_is_itself,
    two_spellings_of_a_value,
    two_spellings_of_a_value,
    a_constant_is_a_column_of_one_row,
    a_constant_is_a_column_of_one_row,
    distinct_is_a_group,
    a_join_is_a_filtered_product,
    a_member_of_a_query,
    the_first_rows_have_the_first_numbers,
    a_window_is_a_joined_group,
    an_aggregates_filter_is_a_case,
    lists_have_what_they_were_made_of,
]


def law(source: random.Random) -> Law:
    """One of the laws, of random queries."""
    make = source.choice(LAWS)
    left, right = make(Grammar(source))
    return Law(make.__name__, left, right)
