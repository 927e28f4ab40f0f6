"""Parameters that no memory could hold are refused before the work, with what they would need."""

import subprocess
import sys
from pathlib import Path

import pytest

from td_mta.config import attribution as configuration
from td_mta.errors import ConfigError
from td_mta.pipelines import memory
from tests.end_to_end import runs
from tests.hostile import touchpoints

GB = "memory_gb=8"
CASES = {
    "cfg_lookback_1e6": ("lookback_window_days=1000000", "needs about 190,000 GB"),
    "cfg_lookback_huge": (f"lookback_window_days={10**18}", "needs about 1,000,000,000,000 GB"),
    "cfg_model_width": ("model_width=1000000", "needs about 270,000 GB"),
    "full_draws_huge": (f"interval_draws={10**12}", "needs about 48,000 GB"),
    "cfg_rules_window": (f"rules_window_days={10**12}", "needs about 100,000 GB"),
    "cfg_permutations": (f"shapley_permutations={10**12}", "needs about 1,300,000 GB"),
}


@pytest.mark.parametrize(("pair", "says"), CASES.values(), ids=CASES)
def test_a_parameter_beyond_any_memory_is_refused(
    pair: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        touchpoints.run(
            touchpoints.csv(tmp_path), "--set", GB, "--set", "network=lstm", "--set", pair
        )
        == 2
    )
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith(f"error: {pair.replace('=', ' ')} {says}")
    assert "of memory with 1 channel, and there are 8.0 GB: lower it" in line


def test_what_channels_need_is_known_after_reading() -> None:
    config = configuration.from_params({"lookback_window_days": 100, "memory_gb": 8}, "test")
    memory.check(config, channels=100)
    with pytest.raises(
        ConfigError, match=r"lookback_window_days 100 needs about 490 GB of .* 1,000"
    ):
        memory.check(config, channels=1000)


def test_the_defaults_fit_into_any_machine() -> None:
    memory.check(configuration.from_params({"memory_gb": 1}, "test"), channels=1000)


def test_the_machine_has_some_memory() -> None:
    assert 1e8 < memory.machine() < 1e14


@pytest.mark.parametrize(("module", "needs"), [("main", "5.0"), ("check", "3.5")])
def test_too_few_addresses_are_said_before_a_library_ends_the_process(
    module: str, needs: str, tmp_path: Path
) -> None:
    limit = "import resource, sys; resource.setrlimit(resource.RLIMIT_AS, (2 * 10**9,) * 2)"
    code = f"{limit}; from td_mta import {module}; sys.exit({module}.main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, str(touchpoints.csv(tmp_path)), "--out", str(tmp_path)]
    done = subprocess.run(command, cwd=runs.ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith(
        f"error: this process may reserve 2.0 GB of addresses (ulimit -v), and needs {needs} GB"
    )
    assert done.stderr.count("\n") == 1
