"""What parameters need of memory, estimated before any work, beside what the machine has."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from td_mta.config.attribution import Config
from td_mta.errors import ConfigError
from td_mta.reporting.wording import counted

GB = 1e9
SQUARES = 6  # of the items of a window that a linear rung holds at once, in doubles
PER_WEIGHT = 200 / 12  # bytes of a weight of the network: itself, its gradient, two moments, copies
PER_CELL = 80  # bytes of a batch's unit at a day of the window
PER_DAY = 100  # bytes of a day that paths reach back
LARGEST_BATCH = 100_000  # examples are rarely more
MOST_SHOWN = 1e12  # gigabytes
CGROUPS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


class Need(NamedTuple):
    """What one parameter needs, in bytes."""

    parameter: str
    size: float


def check(config: Config, channels: int = 1) -> None:
    """Raise `ConfigError` for a parameter that needs more than there is, at so many channels.

    `memory_gb` says how much there is where it is not the machine's.
    """
    available = config.memory_gb * GB if config.memory_gb else machine()
    for need in needs(config, channels):
        if need.size > available:
            raise ConfigError(
                f"{need.parameter} {getattr(config, need.parameter)} needs about "
                f"{_rounded(need.size / GB)} GB of memory with {counted(channels, 'channel')}, and "
                f"there are {available / GB:,.1f} GB: lower it, use a larger machine, or set "
                "memory_gb to go on all the same"
            )


def needs(config: Config, channels: int) -> Iterator[Need]:
    """The parameters that memory grows with.

    >>> largest = max(needs(Config(lookback_window_days=10**6), 4), key=lambda need: need.size)
    >>> largest.parameter, f"{largest.size:.2g}"
    ('lookback_window_days', '1.2e+15')
    """
    days, width = config.lookback_window_days, config.model_width
    items = float(days) * channels + days + channels
    yield Need("lookback_window_days", SQUARES * 8 * items**2)
    if config.network in ("auto", "mlp", "lstm"):
        batch = min(config.train_batch_size, LARGEST_BATCH)
        weights = 4.0 * width * (channels + 4 * width)
        yield Need("model_width", PER_WEIGHT * weights + PER_CELL * batch * min(days, 1000) * width)
    yield Need("interval_draws", 3 * 8 * config.interval_draws * (channels + 1))
    yield Need("rules_window_days", PER_DAY * float(config.rules_window_days))
    yield Need("shapley_permutations", 2 * 8 * 6 * float(config.shapley_permutations) * 14)


def _rounded(gigabytes: float) -> str:
    return f"{float(f'{min(gigabytes, MOST_SHOWN):.2g}'):,.0f}"


def machine() -> float:
    """Bytes that this process may use: of the machine, its control group, its own limit."""
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), *_of_groups(), *_own()]
    return float(min(limits))


def _of_groups() -> Iterator[int]:
    for path in CGROUPS:
        try:
            yield int(Path(path).read_text())
        except (OSError, ValueError):  # no group, or "max"
            continue


def _own() -> Iterator[int]:
    try:
        import resource
    except ImportError:  # not on every system
        return
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit != resource.RLIM_INFINITY:
        yield limit
