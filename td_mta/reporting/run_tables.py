"""The output tables of one run as frames, and what several charts and sections ask of them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import pandas as pd

from td_mta.reporting.journeys import tables as journeys
from td_mta.tables import BASELINE

ALL_CONTROLS = "with all controls"
MOST_CHARTED = 9  # as many channels as there are colours that stay apart
MODEL_NAMES = {
    "logistic": "logistic regression",
    "pairs": "logistic regression with pairs",
    "mlp": "MLP",
    "lstm": "LSTM",
    "base_rate": "the base rate",
    "shapley": "Shapley values",
    "shapley_without_experiments": "Shapley values without experiments",
    "markov": "Markov chain",
    "last_non_direct": "last non-direct",
    "position_based": "position-based",
}
# Parts of names of channels that people often use because they want to buy already.
INTENT_WORDS = ("direct", "search", "brand", "retarget", "remarket", "coupon", "cashback")


class Conservation(NamedTuple):
    """Conversions credited to the baseline and to the channels, and those observed."""

    baseline: float
    channels: float
    conversions: float


@dataclass(frozen=True)
class RunTables:
    """The output tables of one run by their keys, with the columns of `tables.py`."""

    frames: Mapping[str, pd.DataFrame]

    @cached_property
    def ranking(self) -> list[str]:
        """All channels by the absolute size of their credit, then by name."""
        credit = self.credits.groupby("channel")["conversions"].sum().abs()
        sizes = {str(channel): float(size) for channel, size in credit.items()}
        return sorted(sizes, key=lambda channel: (-sizes[channel], channel))

    @property
    def charted(self) -> list[str]:
        """The channels that have a colour of their own in charts; the others are summed up."""
        return self.ranking[:MOST_CHARTED]

    @property
    def is_of_paths(self) -> bool:
        """Whether the run read a table of paths, without times, so without days and Shapley."""
        return "detail" not in self.frames

    @property
    def detail(self) -> pd.DataFrame:
        """The detail table, or what stands for it in a run of paths: the Markov chain's credit."""
        if not self.is_of_paths:
            return self.frames["detail"]
        models = self.frames["models"]
        return models[models["model"] == self.lead]

    @property
    def lead(self) -> str:
        """The model that others are compared with."""
        return "markov" if self.is_of_paths else "shapley"

    @cached_property
    def credits(self) -> pd.DataFrame:
        """The detail table without the baseline's row."""
        return self.detail[self.detail["channel"] != BASELINE]

    @cached_property
    def intervals(self) -> dict[str, pd.DataFrame]:
        """By kind of interval its rows: channel, conversions, lower, upper; only kinds with rows.

        `sampling` comes first: it holds fewer sources of error.
        """
        rows = self.frames["intervals"]
        by_kind = {kind: rows[rows["kind"] == kind] for kind in ("sampling", "full")}
        return {kind: of_kind for kind, of_kind in by_kind.items() if len(of_kind)}

    @property
    def returning(self) -> pd.Series:
        """Conversions of users who had converted before, by channel, the baseline among them."""
        report = self.frames["report"].set_index("channel")
        by_channel = report["conversions_returning"].fillna(0.0).astype(float)
        every = self.number("counts", "conversions_returning")
        baseline = pd.Series({BASELINE: every - by_channel.sum()}).fillna(0.0)
        return pd.concat([by_channel, baseline])

    @property
    def models(self) -> list[str]:
        """The attribution models, the leading one first, the others in the table's order."""
        names = dict.fromkeys(self.frames["models"]["model"])
        return sorted(names, key=lambda name: self.lead not in name)

    @property
    def has_value(self) -> bool:
        """Whether conversions have a value, such as an order's revenue."""
        return bool(self.detail["value"].notna().any())

    @property
    def intent_channels(self) -> list[str]:
        """Channels whose names say that people use them when they want to buy already."""
        return [channel for channel in self.ranking if _follows_intent(channel)]

    def section(self, name: str) -> dict[str, str]:
        """The names and values of one section of run_info."""
        info = self.frames["run_info"]
        rows = info[info["section"] == name]
        names = rows["name"].astype(str)
        values = rows["value"].astype(str)
        return dict(zip(names, values, strict=True))

    def sentences(self, section: str) -> list[str]:
        """The sentences of a section such as `warnings`, in the order of their numbers."""
        return list(self.section(section).values())

    def number(self, section: str, name: str) -> float:
        """A number of run_info, NaN where it is absent."""
        text = self.section(section).get(name, "nan")
        return float(pd.to_numeric(text, errors="coerce"))

    def parameter(self, name: str) -> str:
        """A parameter as run_info has it, empty where it is absent."""
        return self.section("parameters").get(name, "")

    @property
    def calibration(self) -> dict[str, pd.DataFrame]:
        """By model its bins, a row each: predicted, observed, examples, conversions."""
        bins: dict[str, list[dict[str, float]]] = {}
        for name, value in self.section("calibration").items():
            model, _, _ = name.rpartition("_")  # lstm_1, lstm_2, ...
            bins.setdefault(model, []).append(json.loads(value))
        return {model: pd.DataFrame(rows) for model, rows in bins.items()}

    @cached_property
    def journeys(self) -> dict[str, pd.DataFrame]:
        """Tables of journeys as `reporting/journeys/tables.py` has them; none of an older run."""
        return journeys.of_facts(self.section("journeys"))

    @property
    def control_shares(self) -> pd.DataFrame:
        """Shares of the conversions by logistic regression, a row per channel and the baseline.

        The column `ALL_CONTROLS`, then one for each control left out; none without controls.
        """
        by_column: dict[str, dict[str, float]] = {}
        for name, share in self.section("controls").items():
            column, _, row = name.partition(": ")
            by_column.setdefault(column, {})[row] = float(share)
        return pd.DataFrame(by_column)

    @property
    def experiments(self) -> pd.DataFrame:
        """Experiments beside the credit, a row each, as text; no row without any."""
        rows: dict[str, dict[str, str]] = {}
        for name, value in self.section("experiments").items():
            number, _, field = name.partition(" ")
            if field:
                rows.setdefault(number, {})[field] = value
        return pd.DataFrame(rows.values())

    @property
    def conservation(self) -> Conservation:
        """What must add up: baseline + channels = conversions."""
        amounts = [self.number("conservation", name) for name in Conservation._fields]
        return Conservation(*amounts)


def _follows_intent(channel: str) -> bool:
    return any(word in channel.lower() for word in INTENT_WORDS)


def model_name(model: str) -> str:
    """How readers see a model that tables call so.

    >>> model_name("lstm"), model_name("last_touch")
    ('LSTM', 'last touch')
    """
    return MODEL_NAMES.get(model, model.replace("_", " "))
