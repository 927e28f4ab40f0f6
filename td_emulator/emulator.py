"""The emulator as one object: `with Emulator(engine) as td: ...` serves at `td.url`."""

import shutil
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

from td_emulator.api.bulk_imports import BulkImports
from td_emulator.api.databases import Databases
from td_emulator.api.faults import Faults
from td_emulator.api.jobs import Job, Jobs
from td_emulator.api.messages import Request
from td_emulator.api.other_jobs import OtherJobs
from td_emulator.api.routes import routes
from td_emulator.api.server import Server
from td_emulator.api.trino_protocol import TrinoStatements
from td_emulator.engines.protocol import Engine


class Emulator:
    """A server on 127.0.0.1 in a thread; port 0 takes any free one.

    `poll_again` is how many polls of a job are answered queued or running before its end is shown;
    `line` is called with a line of text for each request, without the key.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        port: int = 0,
        poll_again: int = 2,
        line: Callable[[str], None] | None = None,
    ) -> None:
        self.engine, self.faults = engine, Faults()
        self.connections: dict[str, int] = {}
        self.saved_queries: dict[str, tuple[str, str]] = {}  # database and query, by name or number
        self.bulk_loads: set[str] = set()
        self._folder = Path(tempfile.mkdtemp(prefix="td_emulator_"))
        self._jobs = Jobs(engine, self.faults, self._folder, poll_again)
        self._imports = BulkImports(engine, self._jobs, self._folder)
        self._statements = TrinoStatements(engine, self._folder)
        databases = Databases(engine, self.connections)
        others = OtherJobs(engine, self._jobs, self.saved_queries, self.bulk_loads)
        table = routes(databases, self._jobs, others, self._imports, self._statements)
        self._server = Server(port, table, self.faults, self._folder, line)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def __enter__(self) -> "Emulator":
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def start(self) -> None:
        """Serve from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Close every connection, stop every job, remove the results; the tables stay."""
        self._server.shutdown()
        self._server.close_all()
        self._server.server_close()
        self._thread.join()
        self._jobs.stop()
        self._statements.stop()
        self._imports.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def endpoint(self) -> str:
        """Digdag's td.endpoint, with use_ssl false."""
        return f"127.0.0.1:{self._server.server_address[1]}"

    @property
    def url(self) -> str:
        """TD_API_SERVER; without the last slash it is TD_PRESTO_API."""
        return f"http://{self.endpoint}/"

    @property
    def requests(self) -> tuple[Request, ...]:
        """The requests so far, in the order of arrival."""
        return tuple(self._server.log)

    @property
    def jobs(self) -> tuple[Job, ...]:
        """All jobs, in the order of their issue."""
        return tuple(self._jobs.jobs.values())

    @property
    def duplicates(self) -> tuple[str, ...]:
        """The id of a job for each time that it was submitted again under its domain_key."""
        return tuple(self._jobs.duplicates)

    def create_database(self, database: str) -> None:
        """Make an empty database; an existing one stays as it is."""
        self.engine.create_database(database)
