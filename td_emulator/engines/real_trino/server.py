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
from td_emulator.engines.real_trino.connection import CATALOG, DISK, connected
from td_mta.errors import WarehouseError

START_LIMIT = 180.0  # seconds; 6 to 11 on a free machine
_MANY_QUERIES = ("-XX:+UseParallelGC",)  # the least time in all for few cores
# Start in half the time; the first server that ends writes the archive of classes.
_FAST = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:+AutoCreateSharedArchive")
_PROJECT = Path(__file__).parents[3]
_log = logging.getLogger(__name__)

_CONFIG = """\
coordinator={is_coordinator}
http-server.http.port={port}
discovery.uri={discovery}
node.environment=loopback
node.id=loopback{port}
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
_COORDINATOR = "node-scheduler.include-coordinator=true\n"
# Rows of large tables are sorted in so many parts, and what does not fit goes to disk. That begins
# early: a window keeps about 50 bytes for each of its partitions, which Trino counts as no memory.
_LARGE = """\
task.concurrency=8
spill-enabled=true
spiller-spill-path={folder}/spill
memory-revoking-threshold=0.4
memory-revoking-target=0.3
"""
_MEMORY = "connector.name=memory\nmemory.max-data-per-node={data_mb}MB\n"
_DISK = """\
connector.name=hive
hive.metastore=file
hive.metastore.catalog.dir=local:///tables
fs.native-local.enabled=true
local.location={folder}
hive.compression-codec=LZ4
hive.collect-column-statistics-on-write=false
"""


class RealTrino:
    """A server that lives as long as the `with`. `url` has no slash at its end.

    Tables take up to two fifths of its heap, a query up to a half. `workers` servers share the
    queries, each with a heap of its own; the first one is their coordinator too. With a folder
    `disk` there is also a catalog of that name, whose tables lie in it, and a query takes up to
    seven tenths.
    """

    def __init__(
        self,
        *,
        cache: Path | None = None,
        heap_gb: int = 1,
        workers: int = 1,
        disk: Path | None = None,
    ) -> None:
        self.cache = cache
        self.disk = disk
        self.heap_gb = heap_gb
        self.workers = workers
        self.url = ""
        self._guards: list[subprocess.Popen[str]] = []

    def __enter__(self) -> "RealTrino":
        java_path = java.find()
        home = artifacts.home(self.cache, disk=self.disk is not None)
        start = time.monotonic()
        self.url = f"http://127.0.0.1:{_free_port()}"
        urls = [self.url, *(f"http://127.0.0.1:{_free_port()}" for _ in range(self.workers - 1))]
        try:
            for url in urls:
                self._guards.append(self._started(java_path, home, url))
                self._wait(url, deadline=time.monotonic() + START_LIMIT)
            functions.create(self.url)
            self._wait_for_workers(deadline=time.monotonic() + START_LIMIT)
        except BaseException:
            self.close()
            raise
        _log.info("Trino %s at %s in %.1f s", artifacts.VERSION, self.url, time.monotonic() - start)
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """End the servers and wait until they are gone."""
        while self._guards:
            self._guards.pop().communicate()  # closes its input, which ends the server

    def _started(self, java_path: Path, home: Path, url: str) -> "subprocess.Popen[str]":
        folder = Path(tempfile.mkdtemp(prefix="td_mta_trino_"))
        _configure(folder, home, url, self.url, self.heap_gb, in_memory=self.disk is None)
        if self.disk is not None:
            properties = folder / "etc" / "catalog" / f"{DISK}.properties"
            properties.write_text(_DISK.format(folder=self.disk))
            with (folder / "etc" / "config.properties").open("a") as file:
                file.write(_LARGE.format(folder=self.disk))
        archive = home.parent / f"{home.name}-java{java.version(java_path)}.jsa"
        command = [
            *(sys.executable, "-m", "td_emulator.engines.real_trino.guard", str(folder)),
            *(str(java_path), f"-Xmx{self.heap_gb}G", f"-XX:SharedArchiveFile={archive}"),
            *(_FAST if self.heap_gb == 1 else _MANY_QUERIES),
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

    def _wait(self, url: str, deadline: float) -> None:
        """Return when a server takes queries; raises `WarehouseError` at the deadline."""
        while not _ready(url):
            if self._guards[-1].poll() is not None:
                log = self._guards[-1].communicate()[0]
                raise WarehouseError(f"Trino did not start:\n{log.strip()}")
            if time.monotonic() > deadline:
                raise WarehouseError(f"Trino did not start in {START_LIMIT:.0f} s")
            time.sleep(0.1)

    def _wait_for_workers(self, deadline: float) -> None:
        """Return when the coordinator knows all servers."""
        counting = "select count(*) from system.runtime.nodes where state = 'active'"
        with connected(self.url) as run:
            while self.workers > 1 and run(counting) != [[self.workers]]:
                if time.monotonic() > deadline:
                    raise WarehouseError(f"Trino has no {self.workers} workers")
                time.sleep(0.2)


def _configure(
    folder: Path, home: Path, url: str, coordinator: str, heap_gb: int, *, in_memory: bool
) -> None:
    (folder / "etc" / "catalog").mkdir(parents=True)
    is_coordinator = url == coordinator
    (folder / "etc" / "config.properties").write_text(
        (_COORDINATOR if is_coordinator else "")
        + _CONFIG.format(
            is_coordinator=str(is_coordinator).lower(),
            port=url.rpartition(":")[2],
            discovery=coordinator,
            plugins=home / "plugin",
            catalog=CATALOG,
            schema=functions.SCHEMA,
            query_mb=(500 if in_memory else 700) * heap_gb,
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
