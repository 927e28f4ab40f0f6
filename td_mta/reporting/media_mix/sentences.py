"""What the media mix tables say in words; the report and the app show the same sentences."""

from collections.abc import Mapping

import pandas as pd

from td_mta.reporting.html.elements import number, percent

Frames = Mapping[str, pd.DataFrame]
SIGNIFICANT = 1.96
DOUBTFUL = 0.05  # probability below which model and experiment contradict each other
CERTAIN = 0.99  # beyond, a few hundred draws do not tell how certain
NOT_KNOWN = (
    "Whether spend caused sales. Where somebody spends more because demand is high, the model "
    "gives the channel what demand brought, with narrow intervals and a good fit. Only an "
    "experiment shows it.",
    "How much a saturated channel brings in all. Its sales hardly change with its spend, so its "
    "contribution comes from the prior; what a little more brings is known better.",
    "Whether a channel levels off or weakens with time. Both look alike in most data.",
    "What happens beyond the spend that there was: curves are dotted there.",
)
ROI = (
    "ROI is what a unit of spend brought on average, marginal ROI what a little more would have "
    "brought. A channel may have a high ROI and bring nothing more: spend follows marginal ROI."
)
CURVES = (
    "Sales by spend that is held for long, carry-over included. The line is solid in the range of "
    "nine in ten periods and dotted outside; the band is the 90 % interval."
)
COVERAGE = (
    "Sales were simulated from the fitted model and fitted again: how many of the nominal 90 % "
    "intervals held the truth. It shows how good intervals are where the model is right."
)
TEST_NEXT = (
    "First stands what would narrow the best split most. The order does not find demand that "
    "drives spend and sales alike."
)


def facts(frames: Frames) -> dict[str, str]:
    """The facts of the run by their names."""
    info = frames["mmm_run_info"]
    return dict(zip(info["name"], info["value"], strict=True))


def values(frames: Frames, section: str) -> list[str]:
    """The values of a section such as `note`, in their order."""
    info = frames["mmm_run_info"]
    return [str(value) for value in info.loc[info["section"] == section, "value"]]


def channels(frames: Frames) -> list[str]:
    """The channels as their table orders them."""
    return [str(name) for name in frames["mmm_channels"]["channel"]]


def headed(rows: pd.DataFrame) -> pd.DataFrame:
    """With names of columns as people write them."""
    return rows.rename(columns=lambda name: str(name).replace("_", " "))


def finding(frames: Frames) -> str:
    """How much media brought, and where a little more spend brings most."""
    rows = frames["mmm_channels"]
    best = rows.sort_values("marginal_roi", kind="stable").iloc[-1]
    return (
        f"Media brought {percent(_share(frames))} of sales; the next unit of spend brings most on "
        f"{best['channel']}, {number(float(best['marginal_roi']), 2)}"
    )


def figures(frames: Frames) -> dict[str, str]:
    """A few key numbers by their names."""
    rows, of_run = frames["mmm_channels"], facts(frames)
    spend, kind = float(rows["spend"].sum()), of_run["kind"]
    return {
        "Sales": number(float(of_run["sales"]), 0),
        "Brought by media": percent(_share(frames)),
        "Spend": number(spend, 0),
        "ROI of all media": number(float(rows["contribution"].sum()) / spend, 2),
        f"{kind.capitalize()}s": of_run[f"{kind}s"],
    }


def plan(frames: Frames) -> str:
    """What the plan changes."""
    of_run, rows = facts(frames), frames["mmm_budget"]
    gain, low, high = (float(of_run[name]) for name in ("gain", "gain_lower", "gain_upper"))
    probability = float(of_run["probability_of_gain"])
    chance = "above 99%" if probability > CERTAIN else percent(probability)
    return (
        f"Per {of_run['kind']} the plan spends {number(float(rows['plan'].sum()), 0)} (today "
        f"{number(float(rows['today'].sum()), 0)}) and changes sales by {number(gain, 0)}, 90 % "
        f"interval {number(low, 0)} to {number(high, 0)}. The probability that it is a gain is "
        f"{chance}, if the model is right."
    )


def sure(frames: Frames) -> list[str]:
    """Starts, flags, and what hints at demand that drives spend and sales."""
    of_run, rows = facts(frames), frames["mmm_channels"]
    starts, share = int(of_run["starts"]), float(of_run["agreeing_starts"])
    found = [f"{round(share * starts)} of {starts} starts of the fit end in one place."]
    if _share(frames) > 1:
        found.append(
            "Media get more than all sales, so that sales without any media are below zero, which "
            "cannot be: demand may drive spend, or media worked before the first period "
            "(spend_before)."
        )
    from_prior = rows.loc[rows["flag"] != "learned from data", "channel"]
    if len(from_prior):
        found.append(
            f"Driven by the prior: {', '.join(from_prior)}. More than half of what is said of "
            "these channels' effect was put in, not learned."
        )
    driven = rows[rows["next_spend_t"].abs() > SIGNIFICANT]
    return found + [
        f"{row.channel}: sales go with its spend of the next {of_run['kind']} (t = "
        f"{number(row.next_spend_t, 1)}), which cannot be an effect. Demand may drive both; an "
        "experiment on it would tell."
        for row in driven.itertuples()
    ]


def conflicts(frames: Frames) -> list[str]:
    """How far each experiment is from the model that does not know of it."""
    tested = frames["mmm_experiments"]
    numbers = [tested[name].map(float) for name in ("conflict", "p_value")]
    return [_conflict(*row) for row in zip(tested["channel"], *numbers, strict=True)]


def _conflict(channel: str, conflict: float, p_value: float) -> str:
    says = f"{channel}: model and experiment differ by {abs(conflict):.1f} standard errors before "
    if p_value >= DOUBTFUL:
        return says + "calibration."
    return says + (
        "calibration, which with the test of next spend has p = "
        f"{p_value:.2g}: something drives both spend and sales, and the model alone is wrong."
    )


def quality(frames: Frames) -> list[str]:
    """The usual figures, each with what it does not show."""
    of_run = facts(frames)
    p, held = float(of_run["shapiro_p"]), of_run["mape_held_out"]
    on_held_out = f", {percent(float(held))} on held-out periods" if held else ""
    return [
        f"R² {float(of_run['r_squared']):.3f}: the share of the variation of sales that is "
        "matched. It does not show that effects are right: a confounded model can have .97.",
        f"MAPE {percent(float(of_run['mape']))} in sample{on_held_out}: the mean error in percent. "
        "Predicting well is not attributing well.",
        f"Durbin-Watson {float(of_run['durbin_watson']):.2f}: around 2 errors of successive "
        "periods are unrelated; well below, something slow is missing and intervals are too "
        "narrow.",
        f"Shapiro-Wilk p {f'{p:.3f}' if p >= 0.001 else 'below 0.001'}: errors "
        f"{'look' if p > 0.05 else 'are not'} normal. It matters little for effects; look for "
        f"single {of_run['kind']}s that stand out.",
        f"Adstock {of_run['adstock']}, saturation {of_run['saturation']}.",
    ]


def channels_shown(frames: Frames) -> pd.DataFrame:
    """The channels with the interval of their ROI in words."""
    rows = frames["mmm_channels"]
    bounds = zip(rows["roi_lower"].map(float), rows["roi_upper"].map(float), strict=True)
    between = [f"{number(lower, 2)} to {number(upper, 2)}" for lower, upper in bounds]
    columns = ["channel", "spend", "contribution", "roi", "between", "marginal_roi", "flag"]
    names = {"roi": "ROI", "between": "ROI, 90 % interval", "marginal_roi": "marginal ROI"}
    return rows.assign(between=between)[columns].rename(columns=names)


def coverage_shown(frames: Frames) -> pd.DataFrame:
    """How often intervals held, the channels in the order of the others' tables."""
    order = [str(name) for name in frames["mmm_channels"]["channel"]]
    rows = frames["mmm_coverage"].set_index("channel").loc[order].reset_index()
    return rows.rename(columns={"marginal_roi": "marginal ROI", "datasets": "data sets"})


def _share(frames: Frames) -> float:
    """What media brought, of all sales."""
    return float(frames["mmm_channels"]["contribution"].sum()) / float(facts(frames)["sales"])
