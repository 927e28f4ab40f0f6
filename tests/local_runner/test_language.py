"""The language of workflows: JavaScript's values, YAML's words, templates, the grid of sessions."""

import re
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from local_runner.javascript.names import ABSENT, KEPT
from local_runner.javascript.syntax import recognise
from local_runner.javascript.tokens import UnsupportedError
from local_runner.workflow import session, templates, yaml_types, yaml_words
from td_mta.errors import Refused

SCOPE = {
    "half": "0.5",
    "n": 3,
    "none": None,
    "yes": True,
    "list": [1, "x", None, [2, 3]],
    "m": {"b": 1, "10": "ten", "2": "two", "a-b": {"c": 5}},
    "text": "a\U0001f600",
    "big": 10**400,
}


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("1 + 2 * 3", "7"),
        ("(1 + 2) * 3", "9"),
        ("10 - 4 - 3", "3"),
        ("7 % -4", "3"),
        ("-7 % 4", "-3"),
        ("5 % 0", "null"),
        ("-1 / 0", "null"),
        ("'' + 1 / 0", "Infinity"),
        ("'' + -1 / 0", "-Infinity"),
        ("'' + 0 / 0", "NaN"),
        ("1e21 + 1", "1e+21"),
        ("123456789012345680000", "123456789012345680000"),
        ("0.000001", "0.000001"),
        ("0.0000001", "1e-7"),
        ("0x1F", "31"),
        ("half + 1", "0.51"),
        ("half - 1", "-0.5"),
        ("half < 1", "true"),
        ("'10' < '9'", "true"),
        ("'10' < 9", "false"),
        ("none + 1", "1"),
        ("none == 0", "false"),
        ("none >= 0", "true"),
        ("none == undefined", "true"),
        ("none === undefined", "false"),
        ("yes + yes", "2"),
        ("yes == '1'", "true"),
        ("'' == 0", "true"),
        ("' 12 ' * 1", "12"),
        ("'12px' * 1", "null"),
        ("list + ''", "1,x,,2,3"),
        ("list", '[1,"x",null,[2,3]]'),
        ("list.length", "4"),
        ("list[3][1]", "3"),
        ("list[9]", ""),
        ("list == list", "true"),
        ("m", '{"2":"two","10":"ten","b":1,"a-b":{"c":5}}'),
        ("m + ''", "[object Object]"),
        ("m['a-b'].c", "5"),
        ("m.b", "1"),
        ("m[2]", "two"),
        ("text.length", "3"),
        ("n.x", ""),
        ("!''", "true"),
        ("!list", "false"),
        ("none || 'd'", "d"),
        ("0 || '' || none", ""),
        ("yes && n", "3"),
        ("yes ? n : nope", "3"),
        ("n > 2 ? n > 5 ? 'a' : 'b' : 'c'", "b"),
        ("typeof nope", "undefined"),
        ("typeof none", "object"),
        ("typeof list[0]", "number"),
        ("typeof n == 'number'", "true"),
        ("big * 0", "null"),
        ("1 /* one */ + 1", "2"),
        (r"'it\'s' + \"\n\"".replace(r"\"", '"'), "it's\n"),
    ],
)
def test_an_expression_has_the_value_that_ecmascript_gives(code: str, text: str) -> None:
    assert templates.fill(f"${{{code}}}", SCOPE) == text


# Worked by hand from ECMAScript 5.1, chapter 15, but for what Java's strings add.
BUILT_INS = [
    ("Math.floor(-1.5) + Math.ceil(1.2) + Math.abs(-3)", "3"),
    ("Math.max(1, '7', 3) - Math.min(4, 2)", "5"),
    ("Math.max.apply(null, list[3])", "3"),
    ("Math.round(-2.5)", "-2"),
    ("Math.pow(2, 10)", "1024"),
    ("parseInt('42px') + parseInt('ff', 16) + parseInt('08')", "305"),
    ("parseFloat('1.5e3x')", "1500"),
    ("Number('') + Number('0x10') + Number(true)", "17"),
    ("Number('12px')", "null"),
    ("isNaN('x') && isFinite('7')", "true"),
    ("String(1e21) + String(-0) + String(null)", "1e+210null"),
    ("(1.005).toFixed(2)", "1.00"),
    ("(2.5).toFixed(0) + (0.125).toFixed(2)", "30.13"),
    ("(255).toString(16) + (255).toString(2)", "ff11111111"),
    ("n.toFixed()", "3"),
    ("'a-b'.split('-')", '["a","b"]'),
    ("'abc'.substring(2, 0) + 'abc'.substr(-2, 1) + 'abc'.slice(-1)", "abbc"),
    ("'abc'.charAt(1) + 'abc'.charCodeAt(1) + 'abc'.indexOf('c')", "b982"),
    ("'  x '.trim() + 'Ab'.toUpperCase() + 'Ab'.toLowerCase()", "xABab"),
    ("'a-b-c'.replace('-', '+') + 'a-b-c'.replace(/-/g, '')", "a+b-cabc"),
    ("'2026-03-01'.replace(/(\\d+)-(\\d+)-(\\d+)/, '$3.$2.$1')", "01.03.2026"),
    ("'x1y22'.match(/[0-9]+/g)", '["1","22"]'),
    ("/^a.c$/i.test('ABC') + '' + 'abc'.search(/c/)", "true2"),
    ("[3, 1, 2].sort().reverse().join('')", "321"),
    ("[10, 9, 1].sort()", "[1,10,9]"),
    ("[10, 9, 1].sort(function (a, b) { return a - b; })", "[1,9,10]"),
    ("[1, 2, 3].slice(1).concat([4], 5)", "[2,3,4,5]"),
    ("[1, 2, 3].filter(function (x) { return x % 2; }).length", "2"),
    ("[1, 2, 3].reduce(function (a, b) { return a + b; }, 10)", "16"),
    ("[1, 2].indexOf(2) + [1, 2].indexOf('2')", "0"),
    ("[1, 2].some(function (x) { return x > 1; })", "true"),
    ("Array.isArray(list) && !Array.isArray(m)", "true"),
    ("Object.keys(m)", '["2","10","b","a-b"]'),
    ("JSON.stringify({a: [1, 'x', undefined], b: undefined})", '{"a":[1,"x",null]}'),
    ("JSON.stringify([1], null, 1)", "[\n 1\n]"),
    ("JSON.parse('{\"x\": [1, 2]}').x[1]", "2"),
    ("{a: 1, 'b-c': 2}", '{"a":1,"b-c":2}'),
    ("(function (x) { var y = x * 2; if (y > 5) { return 'big'; } return y; })(n)", "big"),
    ("[1, 2].map(function (x) { return x * n; })", "[3,6]"),
    ("function () {}", "undefined"),
    ("k = 2, k + 1", "3"),
    ("n = 5, n", "5"),
    ("'' + this['a-b'] + this['n']", "undefined3"),
    ("1 & 3 | 4", "5"),
    ("~n + (1 << 4) + (-1 >>> 28)", "27"),
    ("'b' in m && !('c' in m)", "true"),
    ("void 0", ""),
    ("encodeURIComponent('a b/ä')", "a%20b%2F%C3%A4"),
    ("print('x')", ""),
    ("typeof console + typeof Intl", "undefinedundefined"),
    ("'abc'.startsWith('ab') && 'abc'.endsWith('bc')", "true"),
    ("'ab'.repeat(2) + 'a-b-c'.replaceAll('-', '')", "abababc"),
    (
        "Object.prototype.toString.call(list) + Object.prototype.toString.call('')",
        "[object Array][object String]",
    ),
    (
        "Object.prototype.toString.call(none) + Object.prototype.hasOwnProperty.call(m, 'b')",
        "[object Null]true",
    ),
    ("Array.prototype.slice.call('abc', 1)", '["b","c"]'),
    ("this.n + this.list.length + typeof this.nope", "7undefined"),
    ("escape('a b/ä') + unescape('%20') + encodeURI('a b/?')", "a%20b/%E4 a%20b/?"),
    ("(0.000123456).toPrecision(3) + (1234.5).toPrecision(2)", "0.0001231.2e+3"),
    ("{wait: 1, lines: 2, matches: [3], indexOf: 4}.wait + m.contains", "null"),
    ("{wait: 1, lines: 2, strip: 3}.lines + {prototype: 4}.prototype", "6"),
]


@pytest.mark.parametrize(("code", "text"), BUILT_INS)
def test_a_built_in_function_does_what_ecmascript_5_says(code: str, text: str) -> None:
    assert templates.fill(f"${{{code}}}", SCOPE) == text


TIMES = {
    "timezone": "Asia/Tokyo",
    "session_time": "2026-03-01T00:00:00+09:00",
    "session_date": "2026-03-01",
    "session_unixtime": 1772290800,
}
# From moment's documentation and the calendar; 2026-03-01 is a Sunday.
MOMENTS = [
    ("moment(session_time).format()", "2026-03-01T00:00:00+09:00"),
    ("moment(session_time).add(-1, 'days').format('YYYY-MM-DD')", "2026-02-28"),
    ("moment(session_time).subtract(1, 'month').endOf('month').format('YYYYMMDD')", "20260228"),
    ("moment('2026-01-31').add(1, 'months').format('YYYY-MM-DD')", "2026-02-28"),
    ("moment(session_time).startOf('isoWeek').format('YYYY-MM-DD')", "2026-02-23"),
    ("moment(session_time).startOf('week').format('MM/DD ddd')", "03/01 Sun"),
    ("moment(session_time).startOf('day').unix()", "1772290800"),
    ("moment.unix(session_unixtime).format('YYYY-MM-DD HH:mm:ss')", "2026-03-01 00:00:00"),
    ("moment(session_unixtime * 1000).valueOf()", "1772290800000"),
    ("moment.utc(session_time).format('YYYY-MM-DD HH:mm')", "2026-02-28 15:00"),
    ("moment(session_time).utc().format()", "2026-02-28T15:00:00Z"),
    ("moment(session_time).utcOffset('+00:00').hour()", "15"),
    ("moment('20260301', 'YYYYMMDD').format('YYYY/M/D')", "2026/3/1"),
    ("moment('01.03.2026 07', 'DD.MM.YYYY HH').format('YYYY-MM-DD HH')", "2026-03-01 07"),
    ("moment(session_date).diff('2026-02-22', 'days')", "7"),
    ("moment(session_date).isBefore('2026-03-02')", "true"),
    ("moment(session_date).isSame('2026-03-15', 'month')", "true"),
    ("moment(session_date).isBetween('2026-01-01', '2026-12-31')", "true"),
    ("moment(session_date).day() + moment(session_date).isoWeekday()", "7"),
    ("moment(session_date).daysInMonth() + moment(session_date).dayOfYear()", "91"),
    ("moment(session_date).month() + moment(session_date).quarter()", "3"),
    ("moment(session_date).year(2024).format('YYYY')", "2024"),
    ("moment(session_date)", '"2026-02-28T15:00:00.000Z"'),
    ("moment([2026, 1, 29]).isValid()", "false"),
    ("moment('2026-02-30').format()", "Invalid date"),
    ("moment.duration(36, 'hours').asDays()", "1.5"),
    ("moment.max(moment('2026-01-01'), moment('2025-01-01')).year()", "2026"),
    ("new Date('2026-03-01').getTime()", "1772323200000"),
    ("new Date('2026-03-01T00:00:00').getTime()", "1772323200000"),
    ("new Date('2026-03-01T00:00').toISOString()", "2026-03-01T00:00:00.000Z"),
    ("moment(session_time).toArray()", "[2026,2,1,0,0,0,0]"),
    ("new Date(session_time).getHours() + new Date(2026, 0, 31).getDate()", "31"),
    ("new Date(0)", '"1970-01-01T00:00:00.000Z"'),
    ("new Date(2026, 2, 1).getTimezoneOffset()", "-540"),
    ("typeof Date.now() + typeof moment().unix()", "numbernumber"),
]


@pytest.mark.parametrize(("code", "text"), MOMENTS)
def test_moment_counts_in_the_zone_of_the_workflow(code: str, text: str) -> None:
    assert templates.fill(f"${{{code}}}", TIMES) == text


# Daylight saving began at 07:00 UTC on 2026-03-08 and ends at 06:00 UTC on 2026-11-01.
NEW_YORKS = [
    ("moment('2026-03-08').add(1, 'd').format()", "2026-03-09T00:00:00-04:00"),
    ("moment('2026-03-08').add(24, 'h').format()", "2026-03-09T01:00:00-04:00"),
    ("moment('2026-03-08 04:00').toISOString()", "2026-03-08T08:00:00.000Z"),
    ("moment('2026-03-08 01:59').toISOString()", "2026-03-08T06:59:00.000Z"),
    ("moment('2026-11-01 02:30').toISOString()", "2026-11-01T07:30:00.000Z"),
    ("moment('2026-03-08').endOf('day').format()", "2026-03-08T23:59:59-04:00"),
    ("new Date(2026, 2, 8, 12).getTime()", "1772985600000"),
]


@pytest.mark.parametrize(("code", "text"), NEW_YORKS)
def test_days_of_daylight_saving_have_their_own_length(code: str, text: str) -> None:
    assert templates.fill(f"${{{code}}}", {"timezone": "America/New_York"}) == text


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("nope", "ReferenceError: nope is not defined"),
        ("m.x.y", "TypeError: Cannot read property 'y' of undefined"),
        ("[1].find(f)", "TypeError"),
        ("'abc'.includes('b')", "TypeError"),
        ("Math.trunc(1.5)", "TypeError"),
        ("Object.assign({}, m)", "TypeError"),
        ("moment().tz('UTC')", "TypeError"),
        ("console.log(n)", "ReferenceError: console is not defined"),
        ("JSON.parse('[')", "SyntaxError"),
        ("all", "variable of Digdag's own"),
    ],
)
def test_what_is_not_there_on_digdag_fails_the_task(code: str, message: str) -> None:
    with pytest.raises(templates.TemplateError, match=message) as error:
        templates.fill(f"${{{code}}}", SCOPE | {"f": None})
    assert not isinstance(error.value, templates.UnknownTemplateError)


@pytest.mark.parametrize(
    "code",
    [
        "moment('March 2026')",
        "new Date('1 March 2026')",
        "new Date('2026-02-30')",
        "(n + ' joined to 20 characters or more').startsWith('3')",
        "new Date(0).toString()",
        "new Date([2026])",
        "Date()",
        "Math.pow(2, 0.5)",
        "Math.sin(1)",
        "(0.5).toString(2)",
        "'a.b'.replaceAll('.', '')",
        "'a'.startsWith(1)",
        "text[1]",
        "'' + function () {}",
    ],
)
def test_what_comes_to_something_unknown_is_told_apart(code: str) -> None:
    with pytest.raises(templates.UnknownTemplateError):
        templates.fill(f"${{{code}}}", {"timezone": "America/New_York", **SCOPE})


UNSUPPORTED = r"""
n => n|`x`|n ** 2|n ?? 1|m?.b|010|1.foo|n; 1|1 // x|'a\q'|日本|(n|1 +||[1,]|[,1]|[...list]|{n}
{get a() {}}|{__proto__: 1}|{a: 1,}|new RegExp('a')|new Foo()|/(?<a>b)/|/a/y|/a/gg|/\p{L}/|/ä/
this|this.n + this|this[n]|(function () { return this; })()|(function f() {})()
(function (a = 1) {})()|(function () { let a; })()|(function () { for (;;) {} })()
(function () { a b })()|delete n|yield|(function () { return
1; })()|a <!-- b|1_000|0b1|eval('1')|RegExp|Function('')|Map|globalThis|java.lang|load('x')|toString
'a'.trimLeft()|Number.EPSILON|m.constructor|m['constructor']|m.__proto__|n.toExponential()|1 = 2
moment = 1|'a'.wait()|'a'.localeCompare('b')|call_python|class|__t
"""


@pytest.mark.parametrize("code", [*re.split(r"\|(?![?])|(?<!return)\n", UNSUPPORTED.strip())])
def test_whatever_else_is_unsupported(code: str) -> None:
    with pytest.raises(UnsupportedError):
        recognise(code)


def test_a_member_that_java_has_on_texts_is_refused_when_it_is_read_of_one() -> None:
    assert templates.fill("${job.wait} ${job.strip}", {"job": {"wait": 5}}) == "5 "
    with pytest.raises(templates.UnknownTemplateError, match=r"the built-in member \.wait"):
        templates.fill("${job.wait}", {"job": "a text"})


def test_free_names_are_told_from_those_of_functions() -> None:
    code = "rows.map(function (r) { var k = r.n; return k + by + moment(at); })"
    assert recognise(code).names == {"rows", "by", "at", "moment"}
    assert templates.names(f"${{{code}}}") == {"rows", "by", "at"}


def test_nothing_outlives_a_text() -> None:
    assert templates.fill("${k = 1}${k}", {}) == "11"
    changes = "${(function () { var a = []; a.push(1); a.x = 2; return a.length; })()}"
    assert templates.fill(changes, {}) == "1"
    for code in ("${k}", "${dukpy}"):
        with pytest.raises(templates.TemplateError, match="is not defined"):
            templates.fill(code, {})


def test_a_name_is_kept_or_absent_not_both() -> None:
    for path, absent in ABSENT.items():
        assert not set(absent.split()) & set(KEPT[path].split())


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("no template, $5 and $n", "no template, $5 and $n"),
        ("$$ $${n} $$$", "$ $3 $$"),
        ("a ${n", "a ${n"),
        ("${}|${ n }", "|3"),
        ("${secret:key} ${n}", "${secret:key} 3"),
        ("${'$$'}", "$$"),
        ("$$${n} $$$${n}", "$3 $$3"),
        ("${n} and ${n $$", "3 and ${n $"),
        ("${secret:a} ${a:${n}} $", "${secret:a} ${a:3} $"),
        ("${n = 4} ${n}", "4 4"),
    ],
)
def test_a_text_is_filled_around_dollars_and_braces(text: str, filled: str) -> None:
    assert templates.fill(text, SCOPE) == filled


def test_keys_see_earlier_ones_evaluated_and_later_ones_raw() -> None:
    raw = {"a": "A(${b})", "b": "B(${c})", "c": "C"}
    assert templates.evaluate(raw, raw) == {"a": "A(B(${c}))", "b": "B(C)", "c": "C"}


def test_a_map_sees_its_earlier_keys_and_raw_values_but_not_the_tasks_own() -> None:
    raw = {"t": "${x}", "x": 1}
    own = {
        "own": "${x}",
        "list": ["${t}", "${own}", {"A": "${t}"}],
        "map": {"t": "${t}", "u": "${t}"},
    }
    evaluated = templates.evaluate({**raw, **own}, raw)
    assert evaluated["list"] == ["1", "1", {"A": "${x}"}]
    assert evaluated["map"] == {"t": "${x}", "u": "${x}"}
    with pytest.raises(templates.TemplateError, match="own is not defined"):
        templates.evaluate({**raw, "own": 1, "map": {"A": "${own}"}}, raw)


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("0.5", "0.5"),
        ("-0.5", "-0.5"),
        ("0e1", "0e1"),
        (".5", 0.5),
        ("1.", 1.0),
        ("1.5E+3", 1500.0),
        ("007", 7),
        ("010", 8),
        ("08", "08"),
        ("0o10", "0o10"),
        ("0x1F", 31),
        ("0b101", 5),
        ("-1_000", -1000),
        ("+5", 5),
        ("TRUE", "TRUE"),
        ("True", True),
        ("yes", "yes"),
        ("~", None),
        ("12:30:45", "12:30:45"),
        ("1:30.5", 90.5),
        ("2026-03-01", "2026-03-01"),
        (".inf", "Infinity"),
        ("-.INF", "-Infinity"),
        (".NaN", "NaN"),
        ("1.2.3", "1.2.3"),
        ("-30d", "-30d"),
        ("1_000.5", 1000.5),
        ("1_2e3", 12000.0),
        ("0:30.5", 30.5),
        ("-1:02:03.5", -3723.5),
        ("190:20:30", "190:20:30"),
        ("00.5", "00.5"),
        ("01e3", "01e3"),
        ("+.nan", "+.nan"),
        ("0_7", 7),
        ("=", "="),
        ("1e400", "Infinity"),
    ],
)
def test_a_plain_word_gets_digdags_type(word: str, value: object) -> None:
    typed = yaml_words.word(word)
    assert (typed, type(typed)) == (value, type(value))


def test_a_word_whose_type_is_not_known_is_refused_with_its_line() -> None:
    with pytest.raises(Refused, match=r"f\.yml:2: the unquoted word << is only for keys: quote"):
        yaml_types.load("a: 1\nb: <<\n", "f.yml")
    with pytest.raises(Refused, match=r"f\.yml:1: not valid YAML: found unknown escape"):
        yaml_types.load('a: "1\\/2"', "f.yml")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('!!int "7"', 7),
        ('!!float "0.5"', 0.5),
        ('!!bool "yes"', True),
        ('!!null ""', None),
        ("!!str 123", "123"),
        ("!!set {x, y}", ["x", "y"]),
        ("!!binary aGVsbG8=", "aGVsbG8="),
        ("!!timestamp 2026-01-02", 1767312000000),
    ],
)
def test_an_explicit_type_is_kept(text: str, value: object) -> None:
    assert yaml_types.load(f"a: {text}", "f.yml") == {"a": value}


@pytest.mark.parametrize(
    "text", ["!!int 0x1F", "!!float 1", "!!bool on", "!!timestamp 10:00", "!x y"]
)
def test_an_explicit_type_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(Refused, match=r"f\.yml:1: the YAML tag"):
        yaml_types.load(f"a: {text}", "f.yml")


TOKYO, NEW_YORK = ZoneInfo("Asia/Tokyo"), ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("config", "at", "last", "following"),
    [
        ({"daily>": "07:00:00"}, "2026-03-01", "2026-02-28 00:00:00", "2026-03-02 00:00:00"),
        (
            {"daily>": "07:00:00"},
            "2026-03-01 05:00:00",
            "2026-03-01 00:00:00",
            "2026-03-02 00:00:00",
        ),
        ({"hourly>": "30:00"}, "2026-03-01", "2026-02-28 23:00:00", "2026-03-01 01:00:00"),
        ({"weekly>": "Sun,09:00:00"}, "2026-03-01", "2026-02-22 00:00:00", "2026-03-08 00:00:00"),
        ({"monthly>": "1,09:00:00"}, "2026-03-01", "2026-02-01 00:00:00", "2026-04-01 00:00:00"),
        ({"minutes_interval>": 15}, "2026-03-01", "2026-02-28 23:45:00", "2026-03-01 00:15:00"),
        ({"cron>": "30 6 * * 1-5"}, "2026-03-01", "2026-02-27 06:30:00", "2026-03-02 06:30:00"),
        ({"cron>": "0 22-2 * * *"}, "2026-03-01", "2026-02-28 23:00:00", "2026-03-01 01:00:00"),
        # As cron4j 2.2.5 counts over the end of the week: Monday, Wednesday, Friday, and no Sunday.
        ({"cron>": "30 6 * * 1-7/2"}, "2026-03-01", "2026-02-27 06:30:00", "2026-03-02 06:30:00"),
        ({"minutes_interval>": 7}, "2026-03-01", "2026-02-28 23:56:00", "2026-03-01 00:07:00"),
        ({"cron>": "0 8-20/6 * * *"}, "2026-03-02", "2026-03-01 20:00:00", "2026-03-02 08:00:00"),
    ],
)
def test_last_and_next_session_lie_on_the_schedules_times(
    config: dict, at: str, last: str, following: str
) -> None:
    found = session.variables(session.parse_time(at, TOKYO), TOKYO, session.schedule(config))
    assert found["last_session_local_time"] == last
    assert found["next_session_local_time"] == following


@pytest.mark.parametrize(
    "config",
    [
        {"daily>": "7am"},
        {"yearly>": 1},
        {"daily>": "07:00:00", "start": "20260101"},
        {"cron>": "0 0 1 * mon-fre"},
        {"cron>": "0 0 * *"},
        {"cron>": "0 0 L * *"},
        {"cron>": "0 25 * * *"},
        "abc",
        {},
    ],
    ids=str,
)
def test_a_schedule_of_another_form_is_an_error(config: object) -> None:
    with pytest.raises(ValueError, match=r"schedule|cron|form"):
        session.schedule(config)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("cron", "at", "last"),
    [
        ("0 6 * * 1-5", "2026-03-02 06:00:00", "2026-02-28 06:00:00"),  # a Monday: two days back
        ("0 6 * * mon-fri", "2026-03-02 06:00:00", "2026-02-28 06:00:00"),
        ("0 9,18 * * *", "2026-03-01 09:00:00", "2026-02-28 18:00:00"),
        ("0 9,18 * * *", "2026-03-01 18:00:00", "2026-03-01 09:00:00"),
        ("0 0 1 * 1", "2026-06-01", "2026-04-06 00:00:00"),  # Mondays that are a 1st: 2027-02, -03
    ],
)
def test_the_last_session_is_at_most_two_coming_steps_back(cron: str, at: str, last: str) -> None:
    plan = session.schedule({"cron>": cron})
    found = session.variables(session.parse_time(at, TOKYO), TOKYO, plan)
    assert found["last_session_local_time"] == last


def test_a_schedules_start_and_end_must_lie_beyond_the_next_sessions() -> None:
    limits = {"start": "2026-01-01", "end": "2026-03-03"}
    plan = session.schedule({"daily>": "07:00:00", **limits})
    found = session.variables(session.parse_time("2026-03-01", TOKYO), TOKYO, plan)
    assert found["next_session_date"] == "2026-03-02"
    with pytest.raises(Refused, match="on the edge of the schedule's start and end"):
        session.variables(session.parse_time("2026-03-02", TOKYO), TOKYO, plan)


def test_without_a_schedule_there_is_no_last_session() -> None:
    found = session.variables(datetime(2026, 3, 1, tzinfo=TOKYO), TOKYO, None)
    assert found["session_unixtime"] == 1772290800
    assert "last_session_time" not in found


@pytest.mark.parametrize(
    ("at", "local"),
    [
        ("2026-03-08 02:30:00", "2026-03-08T03:30:00-04:00"),  # skipped: moved on, as in Java
        ("2026-11-01 01:30:00", "2026-11-01T01:30:00-04:00"),  # twice: the earlier one
    ],
)
def test_a_session_in_the_hour_that_is_skipped_or_comes_twice_is_javas(at: str, local: str) -> None:
    assert session.parse_time(at, NEW_YORK).isoformat() == local


@pytest.mark.parametrize(
    ("zone", "offset"),
    [
        ("America/New_York", "-0500"),
        ("Europe/London", "+0100"),
        ("Africa/Monrovia", "-0044"),
        ("Asia/Tokyo", "+0900"),
    ],
)
def test_the_offset_of_the_last_executed_session_is_that_of_1970(zone: str, offset: str) -> None:
    for at in ("2026-01-15", "2026-07-15"):
        tz = ZoneInfo(zone)
        found = session.variables(session.parse_time(at, tz), tz, None)
        assert found["last_executed_session_tz_offset"] == offset


@pytest.mark.parametrize("name", ["Asia/Tokio", "JST", "+09:00", "posix/Asia/Tokyo", 9, None])
def test_a_time_zone_must_be_known_to_java_too(name: object) -> None:
    with pytest.raises(ValueError, match="must be a known name such as Asia/Tokyo, got"):
        session.zone(name)  # type: ignore[arg-type]
