"""Finds a JDK that Trino runs on, which is often not the machine's default."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from td_mta.errors import WrongInput

OLDEST_VERSION = 24
FOLDERS = (
    "/usr/lib/jvm/*",
    "/opt/*",
    "/opt/java/*",
    "/opt/hostedtoolcache/Java_*/*/*",
    "/usr/local/*",
    "/Library/Java/JavaVirtualMachines/*/Contents/Home",
    "~/.sdkman/candidates/java/*",
    "~/.jdks/*",
)
INSTALL = (
    f"install a JDK {OLDEST_VERSION} or newer (https://adoptium.net, Debian: apt install "
    "temurin-25-jdk), or set JAVA_HOME to one"
)


def find(environment: dict[str, str] | None = None) -> Path:
    """The `java` of JAVA_HOME, of the usual folders or of PATH that is new enough, in this order.

    Raises `WrongInput`, which lists every `java` that it tried, where none is.
    """
    versions: dict[Path, int | None] = {}
    for java in _candidates(dict(os.environ) if environment is None else environment):
        if java in versions:
            continue
        versions[java] = version(java)
        if (versions[java] or 0) >= OLDEST_VERSION:
            return java
    listed = ", ".join(f"{java} ({number or 'no Java'})" for java, number in versions.items())
    raise WrongInput(
        f"Trino needs Java {OLDEST_VERSION} or newer; found {listed or 'none'}: {INSTALL}"
    )


def version(java: Path) -> int | None:
    """The major version of a `java`, by its `release` file if it has one; None if it is no Java."""
    release = java.parent.parent / "release"
    text = release.read_text(errors="replace") if release.is_file() else _version_output(java)
    matched = re.search(r'(?:JAVA_VERSION=|version )"(?:1\.)?([0-9]+)', text)
    return int(matched[1]) if matched else None


def _version_output(java: Path) -> str:
    try:
        return subprocess.run([java, "-version"], capture_output=True, text=True, timeout=30).stderr
    except (OSError, subprocess.TimeoutExpired):
        return ""


def _candidates(environment: dict[str, str]) -> Iterator[Path]:
    homes = [Path(environment["JAVA_HOME"])] if environment.get("JAVA_HOME") else []
    for folder in FOLDERS:
        pattern = Path(folder).expanduser()
        root = Path(pattern.anchor)  # a glob takes relative patterns only
        homes += sorted(root.glob(str(pattern.relative_to(root))), reverse=True)
    for home in homes:
        if (home / "bin" / "java").is_file():
            yield (home / "bin" / "java").resolve()
    on_path = shutil.which("java", path=environment.get("PATH"))
    if on_path:
        yield Path(on_path).resolve()
