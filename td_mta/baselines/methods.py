"""All models beside the Shapley values: `METHODS`, and `ModelTotals` for paths in parts."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from td_mta.baselines import markov, rules
from td_mta.baselines.markov import MAX_ORDER, Ngrams
from td_mta.baselines.rules import RULES, RuleSettings
from td_mta.journeys.accumulate import appended
from td_mta.journeys.paths import Paths
from td_mta.journeys.touchpoints import Floats

Method = Callable[[Paths, int, RuleSettings], Floats]


def markov_chain(
    paths: Paths, channels: int, settings: RuleSettings, *, order: int = 1, nulls: bool = True
) -> Floats:
    """Removal effects of a Markov chain; see `markov.credit`."""
    grams = markov.count(paths, channels, order, nulls=nulls)
    return markov.credit(grams, _untouched(paths))


def _by_rule(paths: Paths, channels: int, settings: RuleSettings, *, rule: rules.Rule) -> Floats:
    return rules.credit(rule, paths, channels, settings)


# From ordered paths and the number of channels to conversions and value, `(2, channels + 1)`, the
# baseline last. Every method's credit sums to the conversions and to their value.
METHODS: dict[str, Method] = {
    **{name: partial(_by_rule, rule=rule) for name, rule in RULES.items()},
    "markov": markov_chain,
}


@dataclass
class ModelTotals:
    """Sums up paths that come in parts; `order` None takes what foretells held-out users best."""

    channels: int
    settings: RuleSettings
    order: int | None
    nulls: bool
    _rules: dict[str, Floats] = field(default_factory=dict)
    _grams: dict[bool, list[Ngrams]] = field(default_factory=lambda: {False: [], True: []})
    _untouched: Floats = field(default_factory=lambda: np.zeros(2))

    def add(self, paths: Paths, *, held_out: bool) -> None:
        """The paths of some users, all of them held out from training or none."""
        for name, rule in RULES.items():
            part = rules.credit(rule, paths, self.channels, self.settings)
            self._rules[name] = self._rules.get(name, 0.0) + part
        self._untouched += _untouched(paths)
        counted = markov.count(paths, self.channels, self.order or MAX_ORDER, nulls=self.nulls)
        self._grams[held_out] = appended(
            self._grams[held_out], counted, markov.merge, lambda part: len(part.keys)
        )

    def chosen_order(self) -> int:
        """The order of the chain, chosen by the held-out users where none was given."""
        if self.order or not (self._grams[False] and self._grams[True]):
            return self.order or 1
        return markov.best_order(
            *(markov.merge(self._grams[held_out]) for held_out in (False, True))
        )

    def credits(self) -> dict[str, Floats]:
        """Every method's credit by its name in `METHODS`."""
        grams = markov.merge([*self._grams[False], *self._grams[True]])
        chain = markov.lower(grams, self.chosen_order())
        return {**self._rules, "markov": markov.credit(chain, self._untouched)}


def _untouched(paths: Paths) -> Floats:
    """Conversions without a touch, and their value."""
    empty = paths.sizes == 0
    return np.array([paths.conversions[empty].sum(), paths.value[empty].sum()])
