"""`make audit`: the versions in the lock files that have a known vulnerability.

Where no service that knows of vulnerabilities answers, the last line says that nothing was checked,
and that is no failure: the tests must run on machines that reach a package index alone.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.end_to_end import runs

LOCK_FILES = (
    "td_mta/requirements.txt",
    "td_mta/requirements-3.10.txt",
    "td_mta/requirements-3.12.txt",
    "td_mta/app-requirements.txt",
    "requirements-dev.txt",
)
SERVICES = ("pypi", "osv")
PATIENCE = 180  # seconds for one file
# What is known and does not concern us: its id, and why.
ACCEPTED: dict[str, str] = {}


def main() -> int:
    """1 where a version has a known vulnerability."""
    first = runs.ROOT / LOCK_FILES[0]
    service = next((service for service in SERVICES if asked(first, service) is not None), None)
    vulnerable = False
    for lock_file in LOCK_FILES:
        answer = asked(runs.ROOT / lock_file, service) if service else None
        lines, is_vulnerable = judged(lock_file, answer)
        print(*lines, sep="\n", flush=True)
        vulnerable |= is_vulnerable
    return int(vulnerable)


def asked(lock_file: Path, service: str) -> str | None:
    """The service's answer as JSON; None where it does not answer."""
    command = [sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes"]
    command += ["--requirement", str(lock_file), "--vulnerability-service", service]
    command += ["--format", "json", "--progress-spinner", "off", "--timeout", "10"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        return None
    return done.stdout if answers(done.stdout) else None


def answers(answer: str) -> bool:
    """Whether a text is an answer that knows at least one of the versions."""
    try:
        packages = json.loads(answer)["dependencies"]
    except ValueError:
        return False
    return any("vulns" in package for package in packages)


def judged(lock_file: str, answer: str | None) -> tuple[list[str], bool]:
    """The lines about an answer, and whether it names a vulnerability that is not accepted."""
    if answer is None:
        return [f"{lock_file}: NOT CHECKED for known vulnerabilities: no service answers"], False
    packages = json.loads(answer)["dependencies"]
    checked = [package for package in packages if "vulns" in package]
    unknown = sorted(package["name"] for package in packages if "vulns" not in package)
    found = [
        f"{lock_file}: {package['name']} {package['version']} has {vulnerability['id']}"
        f"{_mended(vulnerability['fix_versions'])}"
        for package in checked
        for vulnerability in package["vulns"]
        if not {vulnerability["id"], *vulnerability["aliases"]} & ACCEPTED.keys()
    ]
    lines = [f"{lock_file}: {len(checked)} versions checked, {len(found)} known vulnerabilities"]
    if unknown:
        lines.append(f"{lock_file}: NOT CHECKED, unknown to the service: {', '.join(unknown)}")
    return lines + found, bool(found)


def _mended(versions: Sequence[str]) -> str:
    return f", mended in {', '.join(versions)}" if versions else ""


if __name__ == "__main__":
    sys.exit(main())
