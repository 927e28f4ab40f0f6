"""Prepares a bare container for the workflow's Python task: checks its Python, installs packages.

What an image has installed differs from image to image and is not used: each pinned package goes
into one new folder, which then comes first on the import path. So pip neither looks for installed
packages nor needs the right to change them.

Only the standard library is imported, and any Python from 3.7 on can read this file, so that an
image whose Python is too old gets an error that says so.
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
    *("--no-compile", "--no-cache-dir"),  # half the time and space; nothing here is used twice
)
OF_MEDIA_MIX = Path(__file__).with_name("mmm-packages.txt")
# Patterns in what pip prints, and what they mean; the first that matches counts.
REASONS = (
    (
        "No space left|Disk quota exceeded|File too large",
        "the disk of {folder} is full, about 3 GB are needed (1 GB for mmm.dig)",
    ),
    ("No module named pip", "the image has no pip: set another docker_image"),
    (
        "NewConnection|NameResolution|ConnectTimeout|ReadTimeout|Proxy|SSLError|Connection broken"
        "|Network is unreachable",
        "the package index cannot be reached from the container",
    ),
    ("HASHES", "a package has another hash than the pinned one"),
    ("No matching distribution", "the index has no wheel of a package for this image"),
)


def check_python(version: tuple[int, int] = THIS) -> None:
    """Raise `ConfigError` for a Python that cannot run td_mta."""
    if version < OLDEST:
        raise _wrong_python(version)


def requirements(version: tuple[int, int] = THIS) -> Path:
    """The pinned packages for a version of Python; `ConfigError` where there are none."""
    name = "{}.{}".format(*version)
    if name not in IMAGES:
        raise _wrong_python(version)
    return Path(__file__).with_name(f"requirements-{name}.txt")


def _wrong_python(version: tuple[int, int]) -> ConfigError:
    return ConfigError(
        "docker_image must be an image with Python {}, got one with {}.{}: set {}".format(
            " or ".join(IMAGES), *version, " or ".join(IMAGES.values())
        )
    )


def install(file: Path | None = None, only: Path | None = None) -> None:
    """Install the pinned packages and put them first on the import path, until the process ends.

    `only` has the names of those that are needed, a line each; None for all. Raises `MtaError` with
    the reason when pip fails.
    """
    file = file or requirements()
    started = time.monotonic()
    folder = tempfile.mkdtemp(prefix="td_mta_packages_")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    pinned = Path(folder, "pinned.txt")
    pinned.write_text(chosen(file, only) if only else file.read_text("utf-8"), "utf-8")
    log.info("installing %s, about a minute", file.name)
    command = [sys.executable, *PIP, "--target", folder, "-r", str(pinned)]
    pip = subprocess.run(
        command,
        env=_environment(os.environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if pip.returncode:
        raise MtaError(f"pip could not install {file.name}: {_reason(pip.stdout, folder)}")
    put_first(folder)
    seconds, size = time.monotonic() - started, _size(Path(folder)) / 1e6
    log.info("installed %s: %.0f s, %.0f MB", file.name, seconds, size)


def chosen(file: Path, only: Path) -> str:
    """The entries of a list of pinned packages, with their hashes, of the names in `only`."""
    names = set(only.read_text("utf-8").split())
    entries = re.split(r"\n(?=\S)", file.read_text("utf-8").strip())
    return "\n".join(entry for entry in entries if entry.partition("==")[0] in names) + "\n"


def _size(folder: Path) -> int:
    """Bytes of all files."""
    return sum(path.lstat().st_size for path in folder.rglob("*"))


def _environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment for pip: without secrets, and without the option of an image without root to
    install into the user's folder, which `--target` contradicts.
    """
    public = {name: value for name, value in environment.items() if not name.startswith("TD_")}
    return {**public, "PIP_USER": "0"}


def _reason(printed: str, folder: str) -> str:
    """The last error that pip printed, after what it means where that is known."""
    errors = re.findall(r".*(?:Error|ERROR|No module).*", printed)
    last_error = errors[-1] if errors else "it printed no error"
    detail = last_error.replace("ERROR: ", "").strip()[-300:]
    for pattern, meaning in REASONS:
        if re.search(pattern, printed):
            return f"{meaning.format(folder=os.path.dirname(folder))} ({detail})"
    return detail


def put_first(folder: str) -> None:
    """Import from a folder before anything else.

    At its start Python may have imported a package of the same name already (a namespace such as
    `google`, from a .pth file), which would hide the folder's. Such modules are forgotten.
    """
    sys.path.insert(0, folder)
    importlib.invalidate_caches()
    packages = set(_package_names(os.listdir(folder)))
    hiding = [name for name in sys.modules if name.split(".")[0] in packages]
    for name in hiding:
        del sys.modules[name]


def _package_names(files: Iterable[str]) -> Iterable[str]:
    """The top-level names that can be imported from a folder with these files."""
    return (file.split(".")[0] for file in files if not file.endswith((".dist-info", ".pth")))
