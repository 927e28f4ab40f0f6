"""Every output table: what a row is, its columns, and what they mean."""

from typing import NamedTuple

CHANNELS = "one column per channel"  # among the columns: stands for as many as there are channels
BASELINE = "(baseline)"
DAYS_BEFORE_CONVERSION = "days_before_conversion"


class Table(NamedTuple):
    """An output table, as docs/tables.md describes it to users."""

    name: str  # a parameter, and what is added to its value
    grain: str  # what a row is
    columns: tuple[str, ...]
    meaning: str


METRICS = Table(
    "metrics_table",
    "model of the ladder",
    ("epoch", "loss", "rmse", "auc", "val_loss", "val_rmse", "val_auc"),
    "quality on training and held-out examples, at natural prevalence; `epoch` counts the models: "
    "1 logistic regression, 2 with pairs, 3 MLP, 4 LSTM",
)
SHAPLEY = Table(
    "shapley_table",
    "day before conversion",
    (CHANNELS, DAYS_BEFORE_CONVERSION),
    "share of all channel credit; the table sums to 1",
)
CHANNEL = Table(
    "shapley_table_channel",
    "one row",
    (CHANNELS,),
    "each channel's share of all channel credit",
)
DETAIL = Table(
    "shapley_table_detail",
    "day and channel",
    (DAYS_BEFORE_CONVERSION, "channel", "conversions", "value", "share", "lower", "upper"),
    "credit; with the row `(baseline)` conversions sum to those observed and share to 1",
)
MODELS = Table(
    "shapley_table_models",
    "model and channel",
    ("model", "channel", "conversions", "value", "share"),
    "each model's credit; conversions without a touch are `(baseline)`",
)
INTERVALS = Table(
    "shapley_table_intervals",
    "kind and channel",
    ("kind", "channel", "conversions", "lower", "upper"),
    "confidence intervals of credit: `sampling` for the model as it is, `full` with its own error",
)
RULES = Table(
    "shapley_table_rules",
    "rule and channel",
    MODELS.columns,
    "the rules' credit by SQL alone, where `rules_in_sql` asks for it",
)
REPORT = Table(
    "shapley_table_report",
    "channel",
    (
        *("channel", "touches", "users", "conversions", "value", "impressions", "spend"),
        *("cpm", "cpc", "cpa", "roas", "roms", "lower", "upper"),
        *("conversions_new", "conversions_returning"),
    ),
    "credit beside spend, of the newest run; spend columns are empty without `spend_table`; "
    "`conversions_returning` are of users who had converted before in the table, `conversions_new` "
    "the others",
)
CREDIT = Table(
    "shapley_table_credit",
    "conversion, day and channel",
    (
        *("user_id", "order_id", "conversion_time", "channel", DAYS_BEFORE_CONVERSION),
        *("conversions", "value"),
    ),
    "the credit of every single conversion, where `credit_table` asks for it; sums are those of "
    "`shapley_detail`",
)
RUN_INFO = Table(
    "shapley_table_run_info",
    "fact",
    ("section", "name", "value"),
    "parameters, counts, where they were counted, first and last day, first credited day, "
    "used model, credit without each control, experiments, seconds per step, versions, held-out "
    "quality, numbered columns, warnings",
)
TABLES = (METRICS, SHAPLEY, CHANNEL, DETAIL, MODELS, INTERVALS, RULES, REPORT, CREDIT, RUN_INFO)
