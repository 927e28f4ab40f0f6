"""Few sets of options in which any two values of two options come together at least once."""

import itertools
import random

Option = tuple[str, str]  # a name and a value
TRIES = 8  # for each set, of which the one with most new pairs is taken


def pairwise(options: dict[str, list[str]], seed: int = 0) -> list[dict[str, str]]:
    """Sets of a value for each option.

    >>> len(pairwise({"a": ["0", "1"], "b": ["0", "1"], "c": ["0", "1"]}))
    4
    """
    source = random.Random(seed)
    new = {
        ((one, x), (other, y))
        for one, other in itertools.combinations(sorted(options), 2)
        for x, y in itertools.product(options[one], options[other])
    }
    sets = []
    while new:
        starts = source.choices(sorted(new), k=TRIES)
        tries = [_begun_with(start, options, new, source) for start in starts]
        best = max(tries, key=lambda chosen: len(new & _pairs(chosen)))
        new -= _pairs(best)
        sets.append({name: best[name] for name in options})
    return sets


def _begun_with(
    pair: tuple[Option, Option],
    options: dict[str, list[str]],
    new: set[tuple[Option, Option]],
    source: random.Random,
) -> dict[str, str]:
    """The other options one by one, each as makes most new pairs."""
    chosen = dict(pair)
    for name in source.sample([*options], len(options)):
        if name not in chosen:
            values = source.sample(options[name], len(options[name]))
            others = list(chosen.items())
            chosen[name] = max(
                values,
                key=lambda value: sum(_pair((name, value), other) in new for other in others),
            )
    return chosen


def _count(new: set[tuple[Option, Option]], option: Option, chosen: dict[str, str]) -> int:
    """Pairs that an option would make with those that are chosen."""
    return sum(_pair(option, other) in new for other in chosen.items())


def _pair(one: Option, other: Option) -> tuple[Option, Option]:
    return (one, other) if one < other else (other, one)


def _pairs(chosen: dict[str, str]) -> set[tuple[Option, Option]]:
    return set(itertools.combinations(sorted(chosen.items()), 2))
