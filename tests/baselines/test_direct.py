"""Which channels last_non_direct passes over."""

import pytest

from td_mta.baselines.direct import direct_channels, missing_names

CHANNELS = ["(direct)", "(direct) / (none)", "(none)", "DIRECT", "Direct", "Email", "typed, direct"]


@pytest.mark.parametrize(
    ("parameter", "passed", "missing"),
    [
        ("Direct", [0, 1, 2, 3, 4], []),
        ("direct", [3, 4], []),
        ("(none), email", [2, 5], []),
        ("typed, direct", [6], []),
        ("Typed", [], ["typed"]),
        ("Direct, (Unknown)", [3, 4], ["(unknown)"]),
    ],
)
def test_the_channels_that_a_parameter_names(
    parameter: str, passed: list[int], missing: list[str]
) -> None:
    assert direct_channels(CHANNELS, parameter) == passed
    assert missing_names(CHANNELS, parameter) == missing


def test_where_no_channel_is_direct_nothing_is_missing() -> None:
    assert direct_channels(["Email"], "Direct") == []
    assert missing_names(["Email"], "Direct") == []
