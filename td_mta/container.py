"""A bare container made ready for the workflow's Python task: which Python it has, its packages.

Images hold what they hold, so nothing of theirs is used: each pinned package goes into one new
folder, which then comes first on the import path. pip is neither asked what is there already, nor
does it need the right to change it.

Only the standard library is imported, and any Python from 3.7 on can read this file: an image that
is too old shall say so.
"""

from __future__ import annotations

import atexit
import importlib
import logging
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from td_mta.errors import ConfigError, MtaError

log = logging.getLogger(__name__)

THIS = (sys.version_info[0], sys.version_info[1])
OLDEST = (3, 10)
IMAGES = {
    "3.10": "digdag/digdag-python:3.10.1",
    "3.12": "treasuredata/customscript-python:3.12.11-td0",
}
PIP = (
    *("-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"),
    *("--no-deps", "--require-hashes", "--only-binary", ":all:"),  # the file names everything
    *("--no-compile", "--no-cache-dir"),  # half the time and room; nothing here is used twice
)
# What pip prints, and what it means; the first one that is found counts.
REASONS = (
    (
        "No space left|Disk quota exceeded|File too large",
        "there is no room in {folder}: about 3 GB are needed",
    ),
    ("No module named pip", "the image has no pip"),
    (
        "NewConnection|NameResolution|ConnectTimeout|ReadTimeout|Proxy|SSLError|Connection broken"
        "|Network is unreachable",
        "the package index cannot be reached",
    ),
    ("HASHES", "a package is not the one that was locked"),
    ("No matching distribution", "a package has no wheel for this image, or is not in the index"),
)


def check_python(version: tuple[int, int] = THIS) -> None:
    """Raise `ConfigError` for a Python that cannot run td_mta."""
    if version < OLDEST:
        raise _unfit(version)


def requirements(version: tuple[int, int] = THIS) -> Path:
    """The pinned packages for a version of Python; `ConfigError` where there are none."""
    name = "{}.{}".format(*version)
    if name not in IMAGES:
        raise _unfit(version)
    return Path(__file__).with_name(f"requirements-{name}.txt")


def _unfit(version: tuple[int, int]) -> ConfigError:
    return ConfigError(
        "config/params.yml: docker_image must be an image with Python {}, got one with {}.{}: "
        "set {}".format(" or ".join(IMAGES), *version, " or ".join(IMAGES.values()))
    )


def install(file: Path | None = None) -> None:
    """Install the pinned packages and put them first on the import path, until the process ends.

    Raises `MtaError` with the reason when pip fails.
    """
    file = file or requirements()
    started = time.monotonic()
    folder = tempfile.mkdtemp(prefix="td_mta_packages_")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    log.info("installing %s, about a minute", file.name)
    command = [sys.executable, *PIP, "--target", folder, "-r", str(file)]
    done = subprocess.run(
        command,
        env=_environment(os.environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        raise MtaError(f"pip could not install {file.name}: {_reason(done.stdout, folder)}")
    put_first(folder)
    seconds, size = time.monotonic() - started, _size(Path(folder)) / 1e6
    log.info("installed %s: %.0f s, %.0f MB", file.name, seconds, size)


def _size(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*"))


def _environment(given: Mapping[str, str]) -> dict[str, str]:
    """No secrets for pip; and not the user's folder, which an image without root may ask for."""
    kept = {name: value for name, value in given.items() if not name.startswith("TD_")}
    return {**kept, "PIP_USER": "0"}


def _reason(printed: str, folder: str) -> str:
    errors = re.findall(r".*(?:Error|ERROR|No module).*", printed)
    said = (errors or ["it printed nothing of use"])[-1].replace("ERROR: ", "").strip()[-300:]
    for pattern, meaning in REASONS:
        if re.search(pattern, printed):
            return f"{meaning.format(folder=os.path.dirname(folder))} ({said})"
    return said


def put_first(folder: str) -> None:
    """Import from a folder before anything else.

    What the start of Python imported already (a namespace such as `google`, from a .pth file) would
    hide the folder's modules of that name, and is forgotten.
    """
    sys.path.insert(0, folder)
    importlib.invalidate_caches()
    ours = set(_modules(os.listdir(folder)))
    for name in [name for name in sys.modules if name.split(".")[0] in ours]:
        del sys.modules[name]


def _modules(files: Iterable[str]) -> Iterable[str]:
    return (file.split(".")[0] for file in files if not file.endswith((".dist-info", ".pth")))
