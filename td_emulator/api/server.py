"""HTTP/1.1 on the loopback: reads requests, applies faults, checks keys, sends answers."""

import contextlib
import logging
import os
import re
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import cast
from urllib.parse import unquote

from td_emulator.api import bodies, keys
from td_emulator.api.faults import Fault, Faults
from td_emulator.api.messages import Answer, ApiError, Call, Request, parameters
from td_emulator.api.routes import Route, dispatch
from td_emulator.engines.protocol import EngineError

log = logging.getLogger(__name__)
MOST_CONNECTIONS = 200  # at a time; more are answered that there are too many
READ_SECONDS = 120.0  # that a client may send nothing, or take nothing
# No name of elsewhere may lead a browser here: it would send what a page there says.
HOSTS = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:[0-9]{1,5})?")
_INCOMPLETE = ApiError(400, "the body is shorter than its Content-Length")
_SENTENCE = f"the emulator takes {MOST_CONNECTIONS} connections at one time"
_TOO_MANY = (
    "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nConnection: close\r\n"
    f"Content-Type: text/plain\r\nContent-Length: {len(_SENTENCE)}\r\n\r\n{_SENTENCE}"
).encode()
_STATUS_OF = {"SCHEMA_NOT_FOUND": 404, "TABLE_NOT_FOUND": 404, "TABLE_ALREADY_EXISTS": 409}


class Server(ThreadingHTTPServer):
    """The socket, the log of requests, and the open connections."""

    request_queue_size = 128
    daemon_threads = False  # so that closing the server waits for requests in work

    def __init__(
        self,
        port: int,
        routes: list[Route],
        faults: Faults,
        folder: Path,
        line: Callable[[str], None] | None,
    ) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.routes, self.faults, self.folder, self.line = routes, faults, folder, line
        self.stopping = threading.Event()
        self.log: list[Request] = []  # in the order of arrival
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()

    def arrived(self, request: Request) -> tuple[int, Fault | None]:
        """Log a request; its number in the log, and its fault if there is one."""
        with self._lock:  # one lock for both, so that faults count requests in the log's order
            self.log.append(request)
            return len(self.log) - 1, self.faults.of_request(request.path)

    def answered(self, number: int, request: Request) -> None:
        """Log the request of that number again, now with its status."""
        with self._lock:
            self.log[number] = request

    def process_request(self, request: socket.socket, client_address: object) -> None:  # type: ignore[override]
        """Serve a connection in a thread of its own; refuse one too many."""
        with self._lock:
            is_taken = len(self._open) < MOST_CONNECTIONS
            if is_taken:
                self._open.add(request)
        if is_taken:
            super().process_request(request, client_address)
            return
        request.settimeout(1)  # what a client does not take must not stop the others
        with contextlib.suppress(OSError):
            request.sendall(_TOO_MANY)
        self.shutdown_request(request)

    def closed(self, connection: socket.socket) -> None:
        """Forget a connection."""
        with self._lock:
            self._open.discard(connection)

    def close_all(self) -> None:
        """Close every connection, which ends the threads that wait for a next request."""
        self.stopping.set()
        with self._lock:
            for connection in self._open:
                _shut(connection)

    def handle_error(self, request: object, client_address: object) -> None:
        """Log what failed, unless a client went away."""
        if not isinstance(sys.exc_info()[1], OSError):
            log.exception("the emulator failed to read a request")


class _Handler(BaseHTTPRequestHandler):
    """One connection, request after request."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 1 << 16
    timeout = READ_SECONDS

    @property
    def emulator(self) -> Server:
        return cast(Server, self.server)

    def finish(self) -> None:
        self.emulator.closed(self.connection)
        super().finish()

    def do_GET(self) -> None:
        self._handle()

    do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: `_print_line` has a line of our own for each request, without headers."""

    def _handle(self) -> None:
        began = time.monotonic()
        raw_path, _, query = self.path.partition("?")
        # td-client joins its endpoint and "/v3/..." with a slash too many
        path = unquote(re.sub("/{2,}", "/", raw_path))
        headers = {name.lower(): value for name, value in self.headers.items()}
        allowed = keys.may(_key(headers))
        try:
            _check_host(headers.get("host", ""))
            folder = self.emulator.folder if self.command == "PUT" and allowed else None
            content, file = bodies.read(self.rfile, headers, folder=folder, known=bool(allowed))
        except ApiError as error:
            status = self._refuse(error)
            self._print_line(path, status, seconds=time.monotonic() - began)
            return
        call, request = self._read(path, query, content or b"", file, headers, allowed)
        number, fault = self.emulator.arrived(request)
        is_complete = content is not None or file is not None
        status = self._answer(call, fault) if is_complete else self._refuse(_INCOMPLETE)
        self.emulator.answered(number, replace(request, status=status))
        if file is not None:
            file.unlink(missing_ok=True)
        self._print_line(path, status, seconds=time.monotonic() - began)

    def _print_line(self, path: str, status: int, *, seconds: float) -> None:
        if self.emulator.line is not None:
            self.emulator.line(f"{self.command} {path} {status or 'cut'} {1000 * seconds:.0f} ms")

    def _read(
        self,
        path: str,
        query: str,
        body: bytes,
        file: Path | None,
        headers: Mapping[str, str],
        allowed: str | None,
    ) -> tuple[Call, Request]:
        """The request for its handler, and as the log has it."""
        text = body.decode(errors="replace") if path == "/v1/statement" else ""
        values = parameters(query, headers.get("content-type", ""), body)
        call = Call(
            path=path,
            parameters=values,
            headers=headers,
            text=text,
            body=file,
            may_write=allowed == "write",
            may_read=allowed is not None,
        )
        logged = {**values, "query": text} if text else dict(values)
        return call, Request(method=self.command, path=path, parameters=logged)

    def _answer(self, call: Call, fault: Fault | None) -> int:
        """Send the answer, spoilt by the fault; its status, 0 where the connection was cut."""
        kind = fault.kind if fault else ""
        if kind == "cut":
            return self._cut()
        if kind == "half_upload" and call.body is not None:
            os.truncate(call.body, call.body.stat().st_size // 2)
        if kind == "twice":
            self._dispatched(call)
        answer = self._planned_error(kind) or self._dispatched(call)
        if kind == "cut_after":
            return self._cut()
        if fault and kind == "slow":
            self.emulator.stopping.wait(fault.seconds)
        self._send(answer, half=kind == "half")
        return answer.status

    def _refuse(self, error: ApiError) -> int:
        """Answer, and end the connection: what comes next on it is not known."""
        self.close_connection = True
        self._send(error.answer())
        return error.status

    def _planned_error(self, kind: str) -> Answer | None:
        """The error of a fault that is a status."""
        if not kind.isdigit():
            return None
        return ApiError(int(kind), f"the emulator was told to answer {kind}").answer()

    def _dispatched(self, call: Call) -> Answer:
        """The answer of the request's handler, also where it failed."""
        try:
            # the pages of a statement are served without a look at the key
            if not call.may_read and not call.path.startswith("/v1/statement/"):
                raise ApiError(401, "this API key is not known")
            return dispatch(self.emulator.routes, self.command, call)
        except ApiError as error:
            return error.answer()
        except EngineError as error:
            return ApiError(_STATUS_OF.get(error.name, 422), str(error)).answer()
        except Exception as error:  # a 500 would be retried by td-client for ten minutes
            log.exception("the emulator failed at %s %s", self.command, call.path)
            return ApiError(400, f"the emulator failed: {type(error).__name__}: {error}").answer()

    def _send(self, answer: Answer, *, half: bool = False) -> None:
        pieces = [answer.body] if isinstance(answer.body, bytes) else answer.body
        length = len(answer.body) if isinstance(answer.body, bytes) else answer.length or 0
        remaining = length // 2 if half else length
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", answer.type)
        if answer.status != 204:
            self.send_header("Content-Length", str(length))
        self.end_headers()
        for piece in pieces:
            self.wfile.write(piece[:remaining])
            remaining -= min(len(piece), remaining)
        if half:
            self.wfile.flush()
            self._cut()

    def _cut(self) -> int:
        self.close_connection = True
        _shut(self.connection)
        return 0


def _key(headers: Mapping[str, str]) -> str:
    """The API key: of the REST API, of Trino's protocol, or of its older name Presto."""
    names = ("authorization", "x-trino-user", "x-presto-user")
    return next((headers[name] for name in names if headers.get(name)), "")


def _check_host(host: str) -> None:
    if not HOSTS.fullmatch(host.lower()):
        raise ApiError(421, "the emulator answers at 127.0.0.1 and localhost alone")


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it is closed already
