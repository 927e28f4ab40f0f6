"""The language of workflows: JavaScript's values, YAML's words, templates, the grid of sessions."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from local_runner import javascript, session, templates, yaml_types
from local_runner.javascript import UnsupportedError
from local_runner.javascript_values import result_text
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
    assert result_text(javascript.parse(code).value(SCOPE)) == text


UNSUPPORTED = """
f()|n = 1|n++|n--1|1, 2|{a: 1}|[1]|n => n|`x`|/a/|this|Math|n & 1|n ** 2|~n|new Date|m.toString
text.trim|010|1.foo|n; 1||1 // x|typeof (nope)|void 0|'a\\x41'|n ?? 1|m?.b|日本|(n|n in m|x = 5
"""


@pytest.mark.parametrize("code", UNSUPPORTED.strip().replace("\n", "|").split("|"))
def test_whatever_else_is_unsupported(code: str) -> None:
    with pytest.raises(UnsupportedError):
        javascript.parse(code)


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("no template, $5 and $n", "no template, $5 and $n"),
        ("$$ $${n} $$$", "$ $3 $$"),
        ("a ${n", "a ${n"),
        ("${}|${ n }", "|3"),
        ("${secret:key} ${n}", "${secret:key} 3"),
        ("${'$$'}", "$$"),
    ],
)
def test_a_text_is_filled_around_dollars_and_braces(text: str, filled: str) -> None:
    assert templates.fill(text, SCOPE) == filled


def test_keys_see_earlier_ones_evaluated_and_later_ones_raw() -> None:
    raw = {"a": "A(${b})", "b": "B(${c})", "c": "C"}
    assert templates.evaluate(raw, raw) == {"a": "A(B(${c}))", "b": "B(C)", "c": "C"}


def test_a_nested_value_that_refers_to_the_tasks_own_parameter_is_in_doubt() -> None:
    raw = {"x": 1, "t": "${x}"}
    local = frozenset({"own", "env"})
    assert templates.in_doubt({"own": 1, "env": {"A": "${own}"}}, raw, local) == "own"
    assert templates.in_doubt({"own": 1, "env": {"A": "${t}"}}, raw, local) == "t"
    assert templates.in_doubt({"own": 1, "env": {"A": {"B": 1, "C": "${B}"}}}, raw, local) is None
    assert templates.in_doubt({"env": {"B": 1, "A": {"C": "${B}"}}}, raw, local) == "B"
    assert templates.in_doubt({"own": 1, "env": {"A": "${x}"}}, raw, local) is None


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
    ],
)
def test_a_plain_word_gets_digdags_type(word: str, value: object) -> None:
    typed = yaml_types.word(word)
    assert (typed, type(typed)) == (value, type(value))


@pytest.mark.parametrize("word", ["1_000.5", "0:30.5", "00.5", "=", "+.nan", "01e3"])
def test_a_word_whose_type_nobody_saw_is_refused_with_its_line(word: str) -> None:
    with pytest.raises(
        Refused, match=r"f\.yml:2: the unquoted word .* has no known type: quote it"
    ):
        yaml_types.load(f"a: 1\nb: {word}\n", "f.yml")


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
        ({"cron>": "0 8-20/6 * * *"}, "2026-03-02", "2026-03-01 20:00:00", "2026-03-02 08:00:00"),
    ],
)
def test_last_and_next_session_lie_on_the_schedules_grid(
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
        {"daily>": "07:00:00", "start": "2026-01-01"},
        {"cron>": "0 0 1 * 1"},
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


def test_an_uneven_grid_on_which_digdags_last_session_is_not_certain_is_refused() -> None:
    plan = session.schedule({"cron>": "30 6 * * 1-5"})
    monday = session.parse_time("2026-03-02", TOKYO)
    with pytest.raises(Refused, match="is not certain on this schedule's uneven grid"):
        session.variables(monday, TOKYO, plan)


def test_without_a_schedule_there_is_no_last_session() -> None:
    found = session.variables(datetime(2026, 3, 1, tzinfo=TOKYO), TOKYO, None)
    assert found["session_unixtime"] == 1772290800
    assert "last_session_time" not in found


@pytest.mark.parametrize("time", ["2026-03-08 02:30:00", "2026-11-01 01:30:00"])
def test_a_session_in_the_hour_that_is_skipped_or_comes_twice_is_refused(time: str) -> None:
    with pytest.raises(Refused, match="does not exist or exists twice in America/New_York"):
        session.parse_time(time, NEW_YORK)


@pytest.mark.parametrize("name", ["Asia/Tokio", "JST", "+09:00", "posix/Asia/Tokyo", 9, None])
def test_a_time_zone_must_be_known_to_java_too(name: object) -> None:
    with pytest.raises(ValueError, match="is not known"):
        session.zone(name)  # type: ignore[arg-type]
