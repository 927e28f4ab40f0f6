"""All baseline models beside the Shapley values: `METHODS`, and their sums over paths in parts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from td_mta.baselines import markov, rules
from td_mta.baselines.markov import MAX_ORDER, Ngrams
from td_mta.baselines.rules import Rule, RuleSettings, Shares, untouched
from td_mta.journeys.accumulate import appended
from td_mta.journeys.paths import Paths
from td_mta.journeys.touchpoints import Floats

Method = Callable[[Paths, int, RuleSettings], Floats]
"""Paths and the number of channels to conversions and value, `(2, channels + 1)`, the baseline
last. Every method's credit sums to the conversions and to their value."""


@dataclass(frozen=True)
class ByRule:
    """The method that splits every conversion over the touches of its path by a rule's shares."""

    rule: Rule
    sees: Literal["sizes", "channels", "times"] = "channels"  # of paths, when it splits them

    def __call__(self, paths: Paths, channels: int, settings: RuleSettings) -> Floats:
        shares = shares_by_rule({"": self}, paths, channels, settings)
        return rules.credit(shares[""], channels)


def shares_by_rule(
    methods: Mapping[str, ByRule], paths: Paths, channels: int, settings: RuleSettings
) -> dict[str, Shares]:
    """What each rule gives; that of two parts of the paths merges to that of all."""
    without, places = untouched(paths), rules.places_of(paths, channels)
    shares = {}
    for name, method in methods.items():
        if method.sees == "sizes":
            shares[name] = rules.shares_by_place(method.rule, places, without, settings)
        else:
            of_touches = rules.summed_of if method.sees == "times" else rules.shares_of
            shares[name] = of_touches(method.rule, paths, channels, settings)
    return shares


def markov_chain(
    paths: Paths, channels: int, settings: RuleSettings, *, order: int = 1, nulls: bool = True
) -> Floats:
    """Removal effects of a Markov chain; see `markov.credit`."""
    ngrams = markov.count(paths, channels, order, nulls=nulls)
    return markov.credit(ngrams, untouched(paths))


# A line here puts a method into the models table and the report.
METHODS: dict[str, Method] = {
    "first_touch": ByRule(rules.first_touch, "sizes"),
    "last_touch": ByRule(rules.last_touch, "sizes"),
    "last_non_direct": ByRule(rules.last_non_direct),
    "linear": ByRule(rules.linear, "sizes"),
    "linear_unique": ByRule(rules.linear_unique),
    "position_based": ByRule(rules.position_based, "sizes"),
    "time_decay": ByRule(rules.time_decay, "times"),
    "markov": markov_chain,
}
NEED_TIMES = ("time_decay",)
"""Those that tell journeys apart by their times."""
RULES = {name: method.rule for name, method in METHODS.items() if isinstance(method, ByRule)}


@dataclass
class ModelTotals:
    """Credit of every method of `methods`, of paths that come in parts.

    `order` and `nulls` are the Markov chain's; order None takes what predicts held-out users best.
    """

    channels: int
    settings: RuleSettings
    order: int | None
    nulls: bool
    methods: Mapping[str, Method] = field(default_factory=lambda: METHODS)
    # Of each rule.
    _shares: dict[str, list[Shares]] = field(default_factory=dict)
    # Of training users and, under True, of held-out users.
    _ngrams: dict[bool, list[Ngrams]] = field(default_factory=lambda: {False: [], True: []})
    _untouched: Floats = field(default_factory=lambda: np.zeros(2))

    def add(self, paths: Paths, *, held_out: bool) -> None:
        """The paths of some users, all of them held-out or none."""
        if paths.conversions.any():  # else they credit nothing
            shares = shares_by_rule(self._rules, paths, self.channels, self.settings)
            self.add_shares(shares, untouched(paths))
        order = self.order or MAX_ORDER
        self.add_ngrams(
            markov.count(paths, self.channels, order, nulls=self.nulls), held_out=held_out
        )

    def add_shares(self, shares: Mapping[str, Shares], untouched: Floats) -> None:
        """What each rule gives of some paths, by its name, and what is without a touch, `(2,)`."""
        for name, part in shares.items():
            parts = self._shares.get(name, [])
            self._shares[name] = appended(parts, part, rules.merge, lambda of: len(of.channel))
        self._untouched += untouched

    def add_ngrams(self, ngrams: Ngrams, *, held_out: bool) -> None:
        """The n-grams of some paths, of the order of these totals or else `MAX_ORDER`."""
        parts = self._ngrams[held_out]
        self._ngrams[held_out] = appended(parts, ngrams, markov.merge, _distinct_ngrams)

    def chosen_order(self) -> int:
        """The order of the chain, chosen by the held-out users where none was given."""
        training, held_out = self._ngrams[False], self._ngrams[True]
        if self.order or not (training and held_out):
            return self.order or 1
        both = markov.merge(training), markov.merge(held_out)
        of_few_users = not all(len(ngrams.keys) for ngrams in both)
        return 1 if of_few_users else markov.best_order(*both)

    def shares(self, rule: str) -> Shares:
        """What a rule gives of all paths."""
        return rules.merge(self._shares[rule])

    def ngrams(self) -> Ngrams:
        """The n-grams of all paths."""
        return markov.merge([*self._ngrams[False], *self._ngrams[True]])

    def credits(self) -> dict[str, Floats]:
        """Every method's credit, `(2, channels + 1)`, by its name and in the order of `methods`."""
        return {
            name: self._rule_credit(name) if name in self._rules else self._chain_credit()
            for name in self.methods
        }

    @property
    def _rules(self) -> dict[str, ByRule]:
        return {name: of for name, of in self.methods.items() if isinstance(of, ByRule)}

    def _rule_credit(self, name: str) -> Floats:
        parts = self._shares.get(name)
        if not parts:
            return np.zeros((2, self.channels + 1))
        return rules.credit(self.shares(name), self.channels)

    def _chain_credit(self) -> Floats:
        of_order = markov.shortened(self.ngrams(), self.chosen_order())
        return markov.credit(of_order, self._untouched)


def _distinct_ngrams(ngrams: Ngrams) -> int:
    return len(ngrams.keys)
