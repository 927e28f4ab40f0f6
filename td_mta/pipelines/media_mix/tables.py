"""What was found as output tables, `MEDIA_MIX_TABLES`."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from td_mta.ingest.media_mix.periods import date
from td_mta.ingest.media_mix.refusals import OF_OUTPUT
from td_mta.mmm import effects, experiments
from td_mta.mmm.model import shown, shown_names
from td_mta.pipelines.media_mix.fitting import Answered
from td_mta.pipelines.media_mix.planning import Planned
from td_mta.warehouse.names import wide_columns

FROM_DATA, FROM_PRIOR = "learned from data", "driven by the prior"
SWITCH = "switch it off for some weeks, or on where it is off"
CHANGE = "spend half more for some weeks, since it is saturated and a switch would say little"
MOST_FROM_PRIOR = 0.5  # of what is said of an effect, for FROM_DATA


def tables(
    answered: Answered, planned: Planned, truth: Mapping[tuple[str, str], float]
) -> dict[str, pd.DataFrame]:
    """By name; `truth` has true values by channel and parameter, where they are known."""
    frames = {
        "mmm_channels": channels(answered),
        "mmm_summary": summary(answered, truth),
        "mmm_response_curves": curves(answered),
        "mmm_predicted_vs_actual": fitted(answered),
        "mmm_contribution_breakdown": breakdown(answered),
        "mmm_forms": forms(answered),
        "mmm_models": models(answered),
        "mmm_budget": budget(answered, planned),
        "mmm_run_info": run_info(answered, planned),
    }
    if answered.tests:
        frames["mmm_experiments"] = tested(answered)
    if answered.coverage:
        frames["mmm_coverage"] = pd.DataFrame(
            {"channel": answered.table.channels, **answered.coverage._asdict()}
        )
    return frames


def channels(answered: Answered) -> pd.DataFrame:
    """A row per channel, the one that brought most first."""
    columns: dict[str, object] = {
        "channel": answered.table.channels,
        "spend": answered.data.spend.sum(axis=0),
    }
    for name in ("contribution", "roi", "marginal_roi"):
        bounds = getattr(answered, name)
        columns |= {
            name: bounds.value,
            f"{name}_lower": bounds.lower,
            f"{name}_upper": bounds.upper,
        }
    columns["share_from_prior"] = answered.from_prior
    is_learned = answered.from_prior <= MOST_FROM_PRIOR
    columns["flag"] = np.where(is_learned, FROM_DATA, FROM_PRIOR)
    columns["next_spend_t"] = answered.next_spend
    return pd.DataFrame(columns).sort_values("contribution", ascending=False, ignore_index=True)


def summary(answered: Answered, truth: Mapping[tuple[str, str], float]) -> pd.DataFrame:
    """Each channel's parameters and results beside the true ones."""
    own = answered.curves_from
    names = shown_names(own.model)
    of_draws = np.concatenate([[shown(d.model, p) for p in d.p] for d in answered.draws])
    bounds = effects.interval(shown(own.model, own.p), of_draws)
    rows = []
    for c, channel in enumerate(answered.table.channels):
        values = {name: [part[number, c] for part in bounds] for number, name in enumerate(names)}
        for name in ("contribution", "roi", "marginal_roi"):
            values[name] = [part[c] for part in getattr(answered, name)]
        for name, (lower, value, upper) in values.items():
            rows.append((channel, name, truth.get((channel, name), np.nan), value, lower, upper))
    columns = ["channel", "parameter", "true_value", "fitted_value", "lower", "upper"]
    return pd.DataFrame(rows, columns=columns)


def curves(answered: Answered) -> pd.DataFrame:
    """Sales by held spend, and which spend was usual."""
    frames = []
    for c, channel in enumerate(answered.table.channels):
        curve = answered.curve(c)
        low, high = curve.observed
        frames.append(
            pd.DataFrame(
                {
                    "channel": channel,
                    "spend": curve.spend,
                    "sales": curve.sales.value,
                    "lower": curve.sales.lower,
                    "upper": curve.sales.upper,
                    "observed": ((curve.spend >= low) & (curve.spend <= high)).astype(int),
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def fitted(answered: Answered) -> pd.DataFrame:
    """Sales and what the model says of them, by period."""
    actual, predicted = answered.data.sales, answered.curves_from.fitted
    return pd.DataFrame(
        {
            "date": _dates(answered),
            "actual": actual,
            "predicted": predicted,
            "residual": actual - predicted,
        }
    )


def breakdown(answered: Answered) -> pd.DataFrame:
    """What makes up the predicted sales of each period; the parts sum to them."""
    own = answered.curves_from
    model, scale = own.model, answered.data.sales_scale
    media = effects.by_period(model, own.p)
    first = model.size - model.columns.shape[1]
    parts = model.columns * own.p[first:] * scale
    names = model.column_names
    controls = answered.table.control_names
    own_columns = {name: parts[:, names.index(name)] for name in controls}
    lowest = {name: values.min() for name, values in own_columns.items()}
    columns: dict[str, object] = {"date": _dates(answered)}
    shown_controls = {name: values - lowest[name] for name, values in own_columns.items()}
    columns["base"] = own.fitted - media.sum(axis=1) - sum(shown_controls.values())
    columns |= shown_controls
    columns |= {channel: media[:, c] for c, channel in enumerate(answered.table.channels)}
    return pd.DataFrame(columns)


def forms(answered: Answered) -> pd.DataFrame:
    """Errors on held-out periods, by form."""
    chosen = answered.plain.model.form
    rows = [
        (form.adstock, form.saturation, held.rmse, held.mape, int(form == chosen))
        for form, held in answered.forms.items()
    ]
    return pd.DataFrame(rows, columns=["adstock", "saturation", "rmse", "mape", "chosen"])


def models(answered: Answered) -> pd.DataFrame:
    """The model beside the plain regression, and without experiments where there are some."""
    by_model = {
        "media mix": (answered.best.contribution, answered.best.roi),
        "ridge regression": (answered.ridge.contribution, answered.ridge.roi),
    }
    if answered.calibrated:
        plain = effects.answers(answered.plain.model, answered.plain.p)
        by_model["media mix without experiments"] = (plain.contribution, plain.roi)
    frames = [
        pd.DataFrame(
            {
                "model": model,
                "channel": answered.table.channels,
                "contribution": contribution,
                "roi": roi,
            }
        )
        for model, (contribution, roi) in by_model.items()
    ]
    return pd.concat(frames, ignore_index=True)


def tested(answered: Answered) -> pd.DataFrame:
    """Experiments beside what the model says of them, without and with them."""
    assert answered.calibrated is not None
    plain, additive = answered.plain, answered.calibrated.additive
    starts, lengths = answered.table.periods.first_day, answered.table.periods.length
    rows = [
        {
            "channel": answered.table.channels[test.channel],
            "first_day": str(date(starts[test.first])),
            "last_day": str(date(starts[test.last] + lengths[test.last] - 1)),
            "spend_multiplier": test.multiplier,
            "observed": test.effect,
            "standard_error": test.error,
            "before": experiments.effect(plain.model, plain.p, test),
            "after": experiments.effect(additive.model, additive.p, test),
            "conflict": conflict,
            "p_value": experiments.doubt(conflict, answered.next_spend[test.channel]),
        }
        for test, conflict in zip(answered.tests, answered.calibrated.conflicts, strict=True)
    ]
    return pd.DataFrame(rows)


def budget(answered: Answered, planned: Planned) -> pd.DataFrame:
    """Today's mean spend beside the plan."""
    beyond = planned.spend > answered.data.spend.max(axis=0) * (1 + 1e-9)
    return pd.DataFrame(
        {
            "channel": answered.table.channels,
            "today": planned.today,
            "plan": planned.spend,
            "sales_today": planned.sales_today,
            "sales_plan": planned.sales,
            "beyond_observed": beyond.astype(int),
        }
    )


def run_info(answered: Answered, planned: Planned) -> pd.DataFrame:
    """Facts as text."""
    table, fit = answered.table, answered.plain
    quality = answered.diagnostics
    chosen = answered.forms.get(fit.model.form)
    facts: list[tuple[str, str, object]] = [
        ("counts", f"{table.periods.kind}s", len(table.sales)),
        ("counts", "channels", len(table.channels)),
        ("counts", "first_day", date(table.periods.first_day[0])),
        ("counts", "kind", table.periods.kind),
        ("counts", "sales", f"{np.nansum(table.sales):.10g}"),
        ("fit", "adstock", fit.model.form.adstock),
        ("fit", "saturation", fit.model.form.saturation),
        ("fit", "starts", fit.starts),
        ("fit", "agreeing_starts", f"{fit.agreeing:.4g}"),
        ("fit", "noise", f"{fit.sigma * answered.data.sales_scale:.6g}"),
        *(("quality", name, f"{value:.6g}") for name, value in quality._asdict().items()),
        ("quality", "mape_held_out", f"{chosen.mape:.6g}" if chosen else ""),
        ("budget", "gain", f"{float(planned.gain.value):.6g}"),
        ("budget", "gain_lower", f"{float(planned.gain.lower):.6g}"),
        ("budget", "gain_upper", f"{float(planned.gain.upper):.6g}"),
        ("budget", "probability_of_gain", f"{planned.probability:.4g}"),
    ]
    order = np.argsort(-answered.advice.gain)
    for place, c in enumerate(order, 1):
        how = CHANGE if answered.advice.is_saturated[c] else SWITCH
        facts.append(("test_next", str(place), f"{table.channels[c]}: {how}"))
    facts += [("columns", column, name) for name, column in _numbered(answered).items()]
    facts += [("note", str(number), note) for number, note in enumerate(answered.notes, 1)]
    facts += [("warning", str(n), text) for n, text in enumerate(planned.warnings, 1)]
    return pd.DataFrame(facts, columns=["section", "name", "value"]).astype(str)


def _numbered(answered: Answered) -> dict[str, str]:
    """The columns of the breakdown on Treasure Data, where its rules would make two of them one."""
    names = [*answered.table.control_names, *answered.table.channels]
    columns = wide_columns(names, OF_OUTPUT)
    return {name: column for name, column in zip(names, columns, strict=True) if name != column}


def _dates(answered: Answered) -> list[str]:
    return [str(date(day)) for day in answered.table.periods.first_day]
