"""A run that will not end in time is warned of early."""

import logging

import pytest

from td_mta import progress


def test_more_than_a_day_is_a_warning_with_the_remedy(caplog: pytest.LogCaptureFixture) -> None:
    progress.log_time_left("training", 30 * 3600)
    assert (
        "training needs about 30 hours more, and Treasure Data stops a task after 24 hours"
        in caplog.text
    )
    assert "lower lookback_window_days" in caplog.text
    assert caplog.records[0].levelno == logging.WARNING


def test_minutes_are_logged_and_seconds_are_not(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    progress.log_time_left("training", 30)
    progress.log_time_left("extracting", 300)
    assert [record.message for record in caplog.records] == [
        "extracting needs about 5 minutes more"
    ]
