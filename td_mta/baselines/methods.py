"""All baseline models beside the Shapley values: `METHODS`, and their sums over paths in parts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from td_mta.baselines import markov, rules
from td_mta.baselines.markov import MAX_ORDER, Ngrams
from td_mta.baselines.rules import (
    Rule,
    RuleSettings,
    credit_digits,
    untouched,
    untouched_digits,
)
from td_mta.journeys.accumulate import appended
from td_mta.journeys.paths import Paths
from td_mta.journeys.touchpoints import Floats

Method = Callable[[Paths, int, RuleSettings], Floats]
"""Paths and the number of channels to conversions and value, `(2, channels + 1)`, the baseline
last. Every method's credit sums to the conversions and to their value. But for the Markov chain it
is additive: that of two parts of the paths adds up to that of all."""


@dataclass(frozen=True)
class ByRule:
    """The method that splits every conversion over the touches of its path by a rule's shares."""

    rule: Rule

    def __call__(self, paths: Paths, channels: int, settings: RuleSettings) -> Floats:
        return rules.credit(self.rule, paths, channels, settings)


def markov_chain(
    paths: Paths, channels: int, settings: RuleSettings, *, order: int = 1, nulls: bool = True
) -> Floats:
    """Removal effects of a Markov chain; see `markov.credit`."""
    ngrams = markov.count(paths, channels, order, nulls=nulls)
    return markov.credit(ngrams, untouched(paths))


# A line here puts a method into the models table and the report.
METHODS: dict[str, Method] = {
    "first_touch": ByRule(rules.first_touch),
    "last_touch": ByRule(rules.last_touch),
    "last_non_direct": ByRule(rules.last_non_direct),
    "linear": ByRule(rules.linear),
    "linear_unique": ByRule(rules.linear_unique),
    "position_based": ByRule(rules.position_based),
    "time_decay": ByRule(rules.time_decay),
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
    # By method, coarse and fine digits of conversions and value, `(2, 2, channels + 1)`.
    _sums: dict[str, Floats] = field(default_factory=dict)
    # Of training users and, under True, of held-out users.
    _ngrams: dict[bool, list[Ngrams]] = field(default_factory=lambda: {False: [], True: []})
    _untouched: Floats = field(default_factory=lambda: np.zeros((2, 2)))

    def add(self, paths: Paths, *, held_out: bool) -> None:
        """The paths of some users, all of them held-out or none."""
        converts = bool(paths.conversions.any())
        for name, method in self.methods.items():
            # Paths that all end without a conversion credit nothing: one zero is enough.
            nothing = not converts and name in self._sums
            # The chain's credit is not additive; the n-grams that it is computed from are.
            if isinstance(method, ByRule) and not nothing:
                part = credit_digits(method.rule, paths, self.channels, self.settings)
                self._sums[name] = self._sums.get(name, 0.0) + part
        self._untouched += untouched_digits(paths)
        order = self.order or MAX_ORDER
        ngrams = markov.count(paths, self.channels, order, nulls=self.nulls)
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

    def credits(self) -> dict[str, Floats]:
        """Every method's credit, `(2, channels + 1)`, by its name and in the order of `methods`."""
        return {
            name: self._chain_credit() if method is markov_chain else self._sums[name].sum(axis=0)
            for name, method in self.methods.items()
        }

    def _chain_credit(self) -> Floats:
        training, held_out = self._ngrams[False], self._ngrams[True]
        ngrams = markov.merge([*training, *held_out])
        of_order = markov.shortened(ngrams, self.chosen_order())
        return markov.credit(of_order, self._untouched.sum(axis=0))


def _distinct_ngrams(ngrams: Ngrams) -> int:
    return len(ngrams.keys)
