"""What the title of a page states: one sentence of each, from its tables."""

from collections.abc import Sequence

import pandas as pd

from td_mta.reporting.html.elements import number, percent
from td_mta.reporting.run_tables import model_name
from td_mta.tables import BASELINE, DAYS_BEFORE_CONVERSION

FAR = 0.5  # of a channel's credit on earlier days: it opens
NEAR = 0.8  # of it on day 0: it closes


def of_models(models: pd.DataFrame, chosen: Sequence[str]) -> str:
    """Which channel gets most, and where the models differ most."""
    rows = models[models["model"].isin(chosen) & (models["channel"] != BASELINE)]
    if not len(rows) or not rows["conversions"].any():
        return "No channel has credit"
    share = rows.pivot_table(index="channel", columns="model", values="share")[list(chosen)]
    lead = chosen[0]
    best = str(share[lead].idxmax())
    text = f"{best} gets most: {percent(float(share.loc[best, lead]))} by {model_name(lead)}"
    if len(chosen) < 2:
        return text
    spread = share.max(axis=1) - share.min(axis=1)
    widest = str(spread.idxmax())
    low, high = share.loc[widest].min(), share.loc[widest].max()
    if spread[widest] < 0.005:
        return f"{text}; the models agree"
    return f"{text}; models differ most on {widest}, {percent(low)} to {percent(high)}"


def of_days(detail: pd.DataFrame) -> list[str]:
    """In words which channels keep value far from the conversion, which only push at its end, and
    which are negative; `detail` has credit by day and channel.
    """
    rows = detail[detail["channel"] != BASELINE]
    credit = rows.pivot_table(
        index=DAYS_BEFORE_CONVERSION, columns="channel", values="conversions", aggfunc="sum"
    ).fillna(0.0)
    total = credit.sum()
    sentences = []
    shares = {
        str(name): float(credit[name].iloc[1:].sum() / total[name])
        for name in credit.columns
        if total[name] > 0
    }
    far = sorted((name for name, share in shares.items() if share >= FAR), key=lambda n: -shares[n])
    near = sorted((n for n, share in shares.items() if share <= 1 - NEAR), key=lambda n: shares[n])
    if far:
        named = ", ".join(f"{name} ({percent(shares[name])})" for name in far)
        sentences.append(
            f"Openers, with half of their credit or more before the conversion's day: {named}."
        )
    if near:
        named = ", ".join(f"{name} ({percent(1 - shares[name])})" for name in near)
        sentences.append(
            f"Closers, with four fifths of their credit or more on the conversion's day: {named}."
        )
    negative = [str(name) for name in credit.columns if total[name] < 0]
    if negative:
        sentences.append(
            f"Negative: {', '.join(sorted(negative))}. Users with these touches convert less often "
            "than the model expects without them: they may reach people who would not buy, or "
            "those who are already lost; it need not be that they do harm."
        )
    if not sentences:
        sentences.append("No channel stands out: all have a part of their credit on earlier days.")
    return sentences


def title_of_days(detail: pd.DataFrame) -> str:
    """How much of the channels' credit is on the day of the conversion."""
    rows = detail[detail["channel"] != BASELINE]
    total = float(rows["conversions"].sum())
    if not total:
        return "No channel has credit on any day"
    today = float(rows.loc[rows[DAYS_BEFORE_CONVERSION] == 0, "conversions"].sum())
    return f"{percent(today / total)} of the channels' credit is on the day of the conversion"


def of_journeys(lengths: pd.DataFrame, days: pd.DataFrame) -> str:
    """How long converting journeys are."""
    wins = lengths["converting"].to_numpy(float)
    if not wins.sum():
        return "No journey converts"
    median = str(lengths["touches"].iloc[int((wins.cumsum() < wins.sum() / 2).sum())])
    text = f"Half of the converting journeys have {median} touches or fewer"
    if median == "0":
        text = "Half of the conversions have no touch before them"
    if days["conversions"].sum() and len(days) > 1:
        within = int((days["cumulative share"] < 0.5).sum())
        word = "day" if within == 1 else "days"
        text += f"; half convert within {within} {word} of the first"
    return text


def of_costs(table: pd.DataFrame, model: str) -> str:
    """The channel of the best and of the worst return."""
    rows = table[(table["model"] == model) & (table["spend"] > 0)]
    by = "roas" if rows["roas"].notna().any() else "cpa"
    rows = rows.dropna(subset=[by])
    if not len(rows):
        return "Type what the channels cost to see their return"
    ascending = by == "cpa"
    ordered = rows.sort_values(by, ascending=ascending, kind="stable")
    best, worst = ordered.iloc[0], ordered.iloc[-1]
    name = "ROAS" if by == "roas" else "CPA"
    text = f"{best['channel']} has the best {name}, {number(float(best[by]), 2)}"
    if len(ordered) > 1:
        text += f"; {worst['channel']} the worst, {number(float(worst[by]), 2)}"
    return f"{text} (by {model_name(model)})"
