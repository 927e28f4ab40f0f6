"""Fetches Trino with Maven, once, into the user's cache folder, which is outside the project.

The folder is made under a temporary name and renamed when it is complete, so that a fetch which
stopped half-way is never taken for Trino.
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
        """Maven's name of the artifact."""
        return f"io.trino:{self.name}:{VERSION}:{self.packing}"

    @property
    def file(self) -> str:
        """The name of the file that Maven writes."""
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
HIVE = Artifact(
    name="trino-hive",
    packing="zip",
    sha256="611bacdb07d9f3cf7b9d47f97ecc76fa2e7ff8bfe8a9728c3d06adc1bfb8662e",
)


def home(cache: Path | None = None, *, disk: bool = False) -> Path:
    """The folder with `lib/` and `plugin/memory/` of Trino, fetched if it is missing (200 MB).

    With `disk` another one that also has `plugin/hive/`, for tables on disk (260 MB more). Raises
    `WrongInput` without Maven, `WarehouseError` where the fetch fails.
    """
    cache = cache or _cache()
    home = cache / (f"trino-{VERSION}-disk" if disk else f"trino-{VERSION}")
    if home.is_dir():
        return home
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".trino-{VERSION}.", dir=cache) as name:
        temporary = Path(name)
        unpacked = temporary / "trino"
        _unpack_server(_fetched(SERVER, temporary), unpacked)
        for plugin in (MEMORY, HIVE) if disk else (MEMORY,):
            _unpack_plugin(_fetched(plugin, temporary), unpacked / "plugin" / _connector(plugin))
        try:
            os.rename(unpacked, home)
        except OSError:
            if not home.is_dir():  # else another process was faster
                raise
    return home


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
        ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=_LIMIT)
    except subprocess.TimeoutExpired:
        raise WarehouseError(
            f"Maven did not fetch {artifact.coordinates} in {_LIMIT} s: "
            "is its repository reachable?"
        ) from None
    if ended.returncode:
        output = (ended.stdout + ended.stderr).strip()[-1500:]
        raise WarehouseError(f"Maven could not fetch {artifact.coordinates}:\n{output}")
    path = folder / artifact.file
    _verify(path, artifact)
    megabytes, seconds = path.stat().st_size / 1e6, time.monotonic() - start
    _log.info("fetched %s: %.0f MB in %.0f s", artifact.file, megabytes, seconds)
    return path


def _maven() -> str:
    path = shutil.which("mvn")
    if path is None:
        raise WrongInput(
            "Trino is fetched with Maven, and there is no mvn on PATH: install it "
            "(Debian: apt install maven; https://maven.apache.org)"
        )
    return path


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
    prefix = f"{SERVER.name}-{VERSION}/lib/"
    (target / "lib").mkdir(parents=True)
    with tarfile.open(archive, "r|gz") as tar:
        for member in tar:
            if not member.isfile() or not member.name.startswith(prefix):
                continue
            content = tar.extractfile(member)
            if content is not None:
                with (target / "lib" / Path(member.name).name).open("wb") as file:
                    shutil.copyfileobj(content, file)


def _connector(plugin: Artifact) -> str:
    return plugin.name.removeprefix("trino-")


def _unpack_plugin(archive: Path, folder: Path) -> None:
    folder.mkdir(parents=True)
    with zipfile.ZipFile(archive) as jars:
        for member in jars.infolist():
            if not member.is_dir():
                with (
                    jars.open(member) as content,
                    (folder / Path(member.filename).name).open("wb") as file,
                ):
                    shutil.copyfileobj(content, file)
