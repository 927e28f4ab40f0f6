"""Fetches Trino with Maven, once, into the user's cache folder, which is outside the project.

The folder is made under a passing name and renamed when it is whole, so that a fetch which stopped
half-way is never taken for Trino.
"""

import hashlib
import logging
import os
import shutil
import subprocess
import tarfile
import tempfile
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path

from td_mta.errors import WarehouseError, WrongInput

VERSION = "476"
_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy"
_LIMIT = 900  # seconds for one download
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """A file of a Maven repository, and its SHA-256."""

    name: str
    packing: str
    sha256: str

    @property
    def coordinates(self) -> str:
        return f"io.trino:{self.name}:{VERSION}:{self.packing}"

    @property
    def file(self) -> str:
        return f"{self.name}-{VERSION}.{self.packing}"


SERVER = Artifact(
    name="trino-server-core",
    packing="tar.gz",
    sha256="0f388f9967c177ae70a47c099082fc95387f0c3cb96d8000d1d41fc3a5223158",
)
MEMORY = Artifact(
    name="trino-memory",
    packing="zip",
    sha256="bade81c52e2f7177a7b867aee1b10fae48fefda9c38f3ec6aeb006fdde5f0378",
)


def home(cache: Path | None = None) -> Path:
    """A folder with `lib/` and `plugin/memory/` of Trino, fetched if it is not there (200 MB)."""
    cache = cache or _cache()
    kept = cache / f"trino-{VERSION}"
    if kept.is_dir():
        return kept
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".trino-{VERSION}.", dir=cache) as passing:
        whole = Path(passing) / "trino"
        _unpack_server(_fetched(SERVER, Path(passing)), whole)
        _unpack_plugin(_fetched(MEMORY, Path(passing)), whole)
        try:
            os.rename(whole, kept)
        except OSError:
            if not kept.is_dir():  # another process was faster
                raise
    return kept


def _cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "td_mta"


def _fetched(artifact: Artifact, folder: Path) -> Path:
    start = time.monotonic()
    command = [
        _maven(), "-q", "-B", _COPY,
        f"-Dartifact={artifact.coordinates}", f"-DoutputDirectory={folder}",
    ]  # fmt: skip
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=_LIMIT)
    except subprocess.TimeoutExpired:
        raise WarehouseError(
            f"Maven did not fetch {artifact.coordinates} in {_LIMIT} s: "
            "is its repository reachable?"
        ) from None
    if done.returncode:
        said = (done.stdout + done.stderr).strip()[-1500:]
        raise WarehouseError(f"Maven could not fetch {artifact.coordinates}:\n{said}")
    path = folder / artifact.file
    _verify(path, artifact)
    size = path.stat().st_size / 1e6
    _log.info("fetched %s: %.0f MB in %.0f s", artifact.file, size, time.monotonic() - start)
    return path


def _maven() -> str:
    found = shutil.which("mvn")
    if found is None:
        raise WrongInput(
            "Trino is fetched with Maven, and there is no mvn on PATH: install it "
            "(Debian: apt install maven; https://maven.apache.org)"
        )
    return found


def _verify(path: Path, artifact: Artifact) -> None:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    if digest.hexdigest() != artifact.sha256:
        raise WarehouseError(
            f"{artifact.coordinates} has the SHA-256 {digest.hexdigest()}, wanted "
            f"{artifact.sha256}: remove it from Maven's repository (~/.m2) and try again"
        )


def _unpack_server(archive: Path, target: Path) -> None:
    """`lib/` alone; launchers and the other plugins are not needed."""
    wanted = f"{SERVER.name}-{VERSION}/lib/"
    (target / "lib").mkdir(parents=True)
    with tarfile.open(archive, "r|gz") as tar:
        for member in tar:
            if not member.isfile() or not member.name.startswith(wanted):
                continue
            content = tar.extractfile(member)
            if content is not None:
                with (target / "lib" / Path(member.name).name).open("wb") as file:
                    shutil.copyfileobj(content, file)


def _unpack_plugin(archive: Path, target: Path) -> None:
    folder = target / "plugin" / "memory"
    folder.mkdir(parents=True)
    with zipfile.ZipFile(archive) as jars:
        for member in jars.infolist():
            if not member.is_dir():
                with (
                    jars.open(member) as content,
                    (folder / Path(member.filename).name).open("wb") as file,
                ):
                    shutil.copyfileobj(content, file)
