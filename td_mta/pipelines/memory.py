"""What parameters need of memory, estimated before any work, beside what the machine has."""

import os
from collections.abc import Iterable, Iterator
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
# Where control groups lie, by the controller that /proc/self/cgroup names, and their limit.
CGROUPS = {
    "": (Path("/sys/fs/cgroup"), "memory.max"),
    "memory": (Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes"),
}
# Addresses at the peak on two cores: 4.7 GB of a small run, 0.9 GB of them used; 3.3 of a check.
FOR_A_RUN, FOR_A_CHECK = 5e9, 3.5e9


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


def check_addresses(needed: float) -> None:
    """Raise `ConfigError` where the libraries could not reserve what they never use.

    They end the process in ways of their own then, so this is asked before they are loaded.
    """
    limit = _addresses()
    if limit is not None and limit < needed:
        raise ConfigError(
            f"this process may reserve {limit / GB:.1f} GB of addresses (ulimit -v), and needs "
            f"{needed / GB:.1f} GB, most of which it never uses: raise that, and limit the memory "
            "itself with a control group, or with ulimit -d"
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
    """The limits of the process's groups and of those that they are in."""
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:  # not on every system
        lines = []
    for file in group_files(lines):
        try:
            yield int(file.read_text())
        except (OSError, ValueError):  # no group, or "max"
            continue


def group_files(lines: Iterable[str]) -> Iterator[Path]:
    """The files that may limit a process with these lines in /proc/self/cgroup.

    >>> [str(file) for file in group_files(["0::/a"])][:2]
    ['/sys/fs/cgroup/a/memory.max', '/sys/fs/cgroup/memory.max']
    """
    parts = (line.split(":", 2) for line in lines if line.count(":") > 1)
    paths = {controller: path for _, controller, path in parts}
    for controller, (root, name) in CGROUPS.items():
        group = root / paths.get(controller, "/").lstrip("/")
        for folder in (group, *group.parents):
            if folder.is_relative_to(root):
                yield folder / name


def _own() -> Iterator[int]:
    addresses = _addresses()
    if addresses is not None:
        yield addresses


def _addresses() -> int | None:
    """Bytes that this process may reserve (`ulimit -v`); None for no limit."""
    try:
        import resource
    except ImportError:  # not on every system
        return None
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    return None if limit == resource.RLIM_INFINITY else limit
