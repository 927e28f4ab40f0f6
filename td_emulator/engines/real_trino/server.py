"""A real Trino 476 on this machine's loopback, as Treasure Data's queries find it.

    with RealTrino() as trino:
        trino.url  # "http://127.0.0.1:PORT"

Its catalog `td-presto` keeps tables in memory, a schema for each database of Treasure Data, and has
TD's functions. The server ends with the `with`, and when this process dies.
"""

import json
import logging
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from td_emulator.engines.real_trino import artifacts, functions, java
from td_emulator.engines.real_trino.connection import CATALOG
from td_mta.errors import WarehouseError

START_LIMIT = 180.0  # seconds; 6 to 11 on a free machine
# Start in half the time; the first server that ends writes the archive of classes.
_FAST = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:+AutoCreateSharedArchive")
_PROJECT = Path(__file__).parents[3]
_log = logging.getLogger(__name__)

_CONFIG = """\
coordinator=true
node-scheduler.include-coordinator=true
http-server.http.port={port}
discovery.uri=http://127.0.0.1:{port}
node.environment=loopback
node.id=loopback
node.internal-address=127.0.0.1
node.bind-ip=127.0.0.1
plugin.dir={plugins}
query.max-length=20000000
query.max-memory-per-node={query_mb}MB
memory.heap-headroom-per-node={headroom_mb}MB
protocol.v1.alternate-header-name=Presto
sql.default-function-catalog={catalog}
sql.default-function-schema={schema}
sql.path="{catalog}".{schema}
"""
_MEMORY = "connector.name=memory\nmemory.max-data-per-node={data_mb}MB\n"


class RealTrino:
    """A server that lives as long as the `with`. `url` has no slash at its end.

    Tables take up to two fifths of its heap, a query up to a half.
    """

    def __init__(self, *, cache: Path | None = None, heap_gb: int = 1) -> None:
        self.cache = cache
        self.heap_gb = heap_gb
        self.url = ""
        self._guard: subprocess.Popen[str] | None = None

    def __enter__(self) -> "RealTrino":
        java_path, home = java.find(), artifacts.home(self.cache)
        start = time.monotonic()
        port = _free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._guard = _started(java_path, home, port, self.heap_gb)
        try:
            self._wait(deadline=start + START_LIMIT)
            functions.create(self.url)
        except BaseException:
            self.close()
            raise
        _log.info("Trino %s at %s in %.1f s", artifacts.VERSION, self.url, time.monotonic() - start)
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """End the server and wait until it is gone."""
        if self._guard is not None:
            self._guard.communicate()  # closes its input, which ends the server
            self._guard = None

    def _wait(self, deadline: float) -> None:
        """Return when the server takes queries; raises `WarehouseError` at the deadline."""
        while not _ready(self.url):
            if self._guard is None or self._guard.poll() is not None:
                log = self._guard.communicate()[0] if self._guard else ""
                raise WarehouseError(f"Trino did not start:\n{log.strip()}")
            if time.monotonic() > deadline:
                raise WarehouseError(f"Trino did not start in {START_LIMIT:.0f} s")
            time.sleep(0.1)


def _started(java_path: Path, home: Path, port: int, heap_gb: int) -> "subprocess.Popen[str]":
    folder = Path(tempfile.mkdtemp(prefix="td_mta_trino_"))
    _configure(folder, home, port, heap_gb)
    archive = home.parent / f"{home.name}-java{java.version(java_path)}.jsa"
    command = [
        *(sys.executable, "-m", "td_emulator.engines.real_trino.guard", str(folder)),
        *(str(java_path), f"-Xmx{heap_gb}G", f"-XX:SharedArchiveFile={archive}"),
        *(_FAST if heap_gb == 1 else ()),
        "-Dconfig=etc/config.properties",
        *("-cp", str(home / "lib" / "*"), "io.trino.server.TrinoServer"),
    ]
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(_PROJECT)},
        start_new_session=True,  # Ctrl-C is the user's: the guard ends with its input
    )


def _configure(folder: Path, home: Path, port: int, heap_gb: int) -> None:
    (folder / "etc" / "catalog").mkdir(parents=True)
    (folder / "etc" / "config.properties").write_text(
        _CONFIG.format(
            port=port,
            plugins=home / "plugin",
            catalog=CATALOG,
            schema=functions.SCHEMA,
            query_mb=500 * heap_gb,
            headroom_mb=200 * heap_gb,
        )
    )
    tables = _MEMORY.format(data_mb=400 * heap_gb)
    (folder / "etc" / "catalog" / f"{CATALOG}.properties").write_text(tables)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _ready(url: str) -> bool:
    """Whether it takes queries; no proxy stands between."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{url}/v1/info", timeout=5) as answer:
            return json.load(answer)["starting"] is False
    except (urllib.error.URLError, OSError, ValueError):
        return False
