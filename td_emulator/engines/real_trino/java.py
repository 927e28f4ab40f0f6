"""Finds a JDK that Trino runs on, which is often not the machine's default."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from td_mta.errors import WrongInput

LEAST = 24
PLACES = (
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
    f"install a JDK {LEAST} or newer (https://adoptium.net, Debian: apt install temurin-25-jdk), "
    "or set JAVA_HOME to one"
)


def find(environment: dict[str, str] | None = None) -> Path:
    """The `java` of JAVA_HOME, of the usual folders or of PATH that is new enough, in this order.

    Raises `WrongInput` with all that was looked at where none is.
    """
    seen: dict[Path, int | None] = {}
    for java in _candidates(dict(os.environ) if environment is None else environment):
        if java in seen:
            continue
        seen[java] = version(java)
        if (seen[java] or 0) >= LEAST:
            return java
    looked = ", ".join(f"{java} ({number or 'no Java'})" for java, number in seen.items())
    raise WrongInput(f"Trino needs Java {LEAST} or newer; found {looked or 'none'}: {INSTALL}")


def version(java: Path) -> int | None:
    """The main version of a `java`, by its `release` file if it has one; None where it is none."""
    release = java.parent.parent / "release"
    text = release.read_text(errors="replace") if release.is_file() else _asked(java)
    found = re.search(r'(?:JAVA_VERSION=|version )"(?:1\.)?([0-9]+)', text)
    return int(found[1]) if found else None


def _asked(java: Path) -> str:
    try:
        return subprocess.run([java, "-version"], capture_output=True, text=True, timeout=30).stderr
    except (OSError, subprocess.TimeoutExpired):
        return ""


def _candidates(environment: dict[str, str]) -> Iterator[Path]:
    homes = [Path(environment["JAVA_HOME"])] if environment.get("JAVA_HOME") else []
    for place in PLACES:
        pattern = Path(place).expanduser()
        found = Path(pattern.anchor).glob(str(pattern.relative_to(pattern.anchor)))
        homes += sorted(found, reverse=True)
    for home in homes:
        if (home / "bin" / "java").is_file():
            yield (home / "bin" / "java").resolve()
    on_path = shutil.which("java", path=environment.get("PATH"))
    if on_path:
        yield Path(on_path).resolve()
