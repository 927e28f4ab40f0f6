"""What the output tables say about one run."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from td_mta.tables import BASELINE

DRAWN = 9
RIVALS = {"logistic": "a logistic regression", "base_rate": "the base rate alone"}
RIDES_ON_INTENT = ("direct", "search", "brand", "retarget", "remarket", "coupon", "cashback")


@dataclass(frozen=True)
class RunTables:
    """The output tables of one run, and what several parts of the page ask of them."""

    frames: Mapping[str, pd.DataFrame]

    @cached_property
    def ranking(self) -> list[str]:
        """All channels by the size of their credit, negative or not, then by name."""
        credit = self.credits.groupby("channel")["conversions"].sum().abs()
        sizes = {str(channel): float(size) for channel, size in credit.items()}
        return sorted(sizes, key=lambda channel: (-sizes[channel], channel))

    @property
    def drawn(self) -> list[str]:
        """The channels that get a colour in the pictures."""
        return self.ranking[:DRAWN]

    @property
    def rest(self) -> int:
        """How many channels the pictures show only as one sum."""
        return len(self.ranking) - len(self.drawn)

    @cached_property
    def credits(self) -> pd.DataFrame:
        """The detail table without the baseline's row."""
        detail = self.frames["detail"]
        return detail[detail["channel"] != BASELINE]

    @cached_property
    def intervals(self) -> dict[str, pd.DataFrame]:
        """Channel, conversions, lower and upper by kind, the one with less in it first."""
        rows = self.frames["intervals"]
        kinds = {kind: rows[rows["kind"] == kind] for kind in ("sampling", "full")}
        return {kind: found for kind, found in kinds.items() if len(found)}

    @property
    def models(self) -> list[str]:
        """The models compared, ours first, the others as the table has them."""
        names = dict.fromkeys(self.frames["models"]["model"])
        return sorted(names, key=lambda name: "shapley" not in name)

    @property
    def has_value(self) -> bool:
        return bool(self.frames["detail"]["value"].notna().any())

    def section(self, name: str) -> dict[str, str]:
        """The names and values of one section of run_info."""
        rows = self.frames["run_info"]
        rows = rows[rows["section"] == name]
        return dict(zip(rows["name"].astype(str), rows["value"].astype(str), strict=True))

    def sentences(self, section: str) -> list[str]:
        """The warnings or the notes, in the order of their numbers."""
        rows = self.frames["run_info"]
        return rows.loc[rows["section"] == section, "value"].astype(str).to_list()

    def number(self, section: str, name: str) -> float:
        """A number of run_info, NaN where it is absent."""
        return float(pd.to_numeric(self.section(section).get(name, "nan"), errors="coerce"))

    @property
    def calibration(self) -> dict[str, pd.DataFrame]:
        """By model its bins: predicted, observed, examples, conversions."""
        bins: dict[str, list[dict[str, float]]] = {}
        for name, value in self.section("calibration").items():
            bins.setdefault(name.rpartition("_")[0], []).append(json.loads(value))
        return {model: pd.DataFrame(each) for model, each in bins.items()}

    @property
    def riders(self) -> list[str]:
        """Channels that people use because they want to buy already, by their names."""
        return [
            channel
            for channel in self.ranking
            if any(word in channel.lower() for word in RIDES_ON_INTENT)
        ]

    def parameter(self, name: str) -> str:
        return self.section("parameters").get(name, "")

    @property
    def balance(self) -> tuple[float, float, float]:
        """Conversions of the baseline, of the channels, and observed."""
        names = ("baseline", "channels", "conversions")
        baseline, channels, conversions = (self.number("conservation", name) for name in names)
        return baseline, channels, conversions
