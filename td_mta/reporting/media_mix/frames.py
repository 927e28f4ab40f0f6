"""Names, columns and meaning of the media mix tables."""

from typing import NamedTuple


class MediaMixTable(NamedTuple):
    """An output table."""

    grain: str  # what a row is
    columns: tuple[str, ...]


NO_NOISE = "none"  # for epsilon, in the table of the privacy utility curve
INTERVALS = tuple(
    f"{name}{bound}"
    for name in ("contribution", "roi", "marginal_roi")
    for bound in ("", "_lower", "_upper")
)
MEDIA_MIX_TABLES = {
    "mmm_channels": MediaMixTable(
        "channel",
        ("channel", "spend", *INTERVALS, "share_from_prior", "flag", "next_spend_t"),
    ),
    "mmm_summary": MediaMixTable(
        "channel and parameter",
        ("channel", "parameter", "true_value", "fitted_value", "lower", "upper"),
    ),
    "mmm_response_curves": MediaMixTable(
        "channel and level of spend",
        ("channel", "spend", "sales", "lower", "upper", "observed"),
    ),
    "mmm_predicted_vs_actual": MediaMixTable("period", ("date", "actual", "predicted", "residual")),
    "mmm_contribution_breakdown": MediaMixTable(
        "period", ("date", "base", "one column per control", "one column per channel")
    ),
    "mmm_forms": MediaMixTable(
        "form of the model", ("adstock", "saturation", "rmse", "mape", "chosen")
    ),
    "mmm_models": MediaMixTable("model and channel", ("model", "channel", "contribution", "roi")),
    "mmm_experiments": MediaMixTable(
        "experiment",
        (
            *("channel", "first_day", "last_day", "spend_multiplier", "observed"),
            *("standard_error", "before", "after", "conflict", "p_value"),
        ),
    ),
    "mmm_coverage": MediaMixTable(
        "channel", ("channel", "contribution", "marginal_roi", "datasets")
    ),
    "mmm_budget": MediaMixTable(
        "channel", ("channel", "today", "plan", "sales_today", "sales_plan", "beyond_observed")
    ),
    "mmm_run_info": MediaMixTable("fact", ("section", "name", "value")),
}
