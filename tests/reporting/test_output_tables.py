"""Names and columns of the output tables are known before anything is read."""

from td_mta import tables
from td_mta.reporting import output_tables


def test_long_tables_are_named_after_the_shapley_table() -> None:
    assert output_tables.names("quality", "credit") == {
        "metrics": "quality",
        "shapley": "credit",
        "channel": "credit_channel",
        "detail": "credit_detail",
        "models": "credit_models",
        "intervals": "credit_intervals",
        "report": "credit_report",
        "credit": "credit_credit",
        "run_info": "credit_run_info",
    }


def test_columns_of_channels_are_unknown_until_the_channels_are() -> None:
    before = output_tables.columns(None, run_id=False)
    after = output_tables.columns(["Email", "Fax"], run_id=True)
    assert (before["shapley"], before["channel"]) == (None, None)
    assert after["shapley"] == ["Email", "Fax", "days_before_conversion", "run_id"]
    assert after["channel"] == ["Email", "Fax", "run_id"]
    assert before["detail"] == list(tables.DETAIL.columns)
    assert after["detail"] == [*tables.DETAIL.columns, "run_id"]
    assert after["report"] == list(tables.REPORT.columns)
