"""HTTP/1.1 on the loopback: reads requests, lets faults strike, checks keys, sends answers."""

import logging
import os
import re
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import cast
from urllib.parse import unquote

from td_emulator.api import keys
from td_emulator.api.faults import Fault, Faults
from td_emulator.api.messages import Answer, ApiError, Call, Request, parameters
from td_emulator.api.routes import Route, dispatch
from td_emulator.engines.protocol import EngineError

log = logging.getLogger(__name__)
PIECE = 1 << 18
_STATUS_OF = {"SCHEMA_NOT_FOUND": 404, "TABLE_NOT_FOUND": 404, "TABLE_ALREADY_EXISTS": 409}


class Server(ThreadingHTTPServer):
    """The socket, the log of requests, and the connections that are open."""

    request_queue_size = 128
    daemon_threads = False  # so that closing the server waits for what is being answered

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
        self.seen: list[Request] = []
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()

    def arrived(self, request: Request) -> tuple[int, Fault | None]:
        """Its place in the log and the fault that strikes it, both in the order of arrival."""
        with self._lock:
            self.seen.append(request)
            return len(self.seen) - 1, self.faults.of_request(request.path)

    def answered(self, place: int, request: Request) -> None:
        with self._lock:
            self.seen[place] = request

    def opened(self, connection: socket.socket) -> None:
        with self._lock:
            self._open.add(connection)

    def closed(self, connection: socket.socket) -> None:
        with self._lock:
            self._open.discard(connection)

    def close_all(self) -> None:
        """Wake every thread that waits for a client's next request."""
        self.stopping.set()
        with self._lock:
            for connection in self._open:
                _shut(connection)

    def handle_error(self, request: object, client_address: object) -> None:
        if not isinstance(sys.exc_info()[1], OSError):  # else a client went away
            log.exception("the emulator failed to read a request")


class _Handler(BaseHTTPRequestHandler):
    """One connection, request after request."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 1 << 16
    timeout = None

    @property
    def emulator(self) -> Server:
        return cast(Server, self.server)

    def setup(self) -> None:
        super().setup()
        self.emulator.opened(self.connection)

    def finish(self) -> None:
        self.emulator.closed(self.connection)
        super().finish()

    def do_GET(self) -> None:
        self._handle()

    do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:
        """Requests have a line of their own, without any header."""

    def _handle(self) -> None:
        began = time.monotonic()
        raw, _, query = self.path.partition("?")
        path = unquote(re.sub("/{2,}", "/", raw))
        body, file = self._body()
        call, request = self._read(path, query, body or b"", file)
        place, fault = self.emulator.arrived(request)
        whole = body is not None or file is not None
        status = self._answer(call, fault) if whole else self._refuse_half()
        self.emulator.answered(place, Request(**{**vars(request), "status": status}))
        if file is not None:
            file.unlink(missing_ok=True)
        if self.emulator.line is not None:
            shown = status or "cut"
            self.emulator.line(
                f"{self.command} {path} {shown} {1000 * (time.monotonic() - began):.0f} ms"
            )

    def _read(self, path: str, query: str, body: bytes, file: Path | None) -> tuple[Call, Request]:
        headers = {name.lower(): value for name, value in self.headers.items()}
        text = body.decode(errors="replace") if path == "/v1/statement" else ""
        found = parameters(query, headers.get("content-type", ""), body)
        may = keys.may(
            headers.get("authorization")
            or headers.get("x-trino-user")
            or headers.get("x-presto-user")
            or ""
        )
        call = Call(
            path=path, parameters=found, headers=headers, text=text, body=file,
            may_write=may == "write", may_read=may is not None,
        )  # fmt: skip
        shown = {**found, "query": text} if text else found
        return call, Request(method=self.command, path=path, parameters=dict(shown))

    def _answer(self, call: Call, fault: Fault | None) -> int:
        """Send the answer; its status, or 0 where the connection was cut."""
        kind = fault.kind if fault else ""
        if kind == "cut":
            return self._cut()
        if kind == "half_upload" and call.body is not None:
            os.truncate(call.body, call.body.stat().st_size // 2)
        if kind == "twice":
            self._worked(call)
        answer = self._faulty(kind) or self._worked(call)
        if kind == "cut_after":
            return self._cut()
        if fault and kind == "slow":
            self.emulator.stopping.wait(fault.seconds)
        self._send(answer, half=kind == "half")
        return answer.status

    def _refuse_half(self) -> int:
        """The client went away, or stopped sending, in the middle of its body."""
        self.close_connection = True
        self._send(ApiError(400, "the body is shorter than its Content-Length").answer())
        return 400

    def _faulty(self, kind: str) -> Answer | None:
        if not kind.isdigit():
            return None
        return ApiError(int(kind), f"the emulator was told to answer {kind}").answer()

    def _worked(self, call: Call) -> Answer:
        try:
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
        left = length // 2 if half else length
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", answer.type)
        if answer.status != 204:
            self.send_header("Content-Length", str(length))
        self.end_headers()
        for piece in pieces:
            self.wfile.write(piece[:left])
            left -= min(len(piece), left)
        if half:
            self.wfile.flush()
            self._cut()

    def _cut(self) -> int:
        self.close_connection = True
        _shut(self.connection)
        return 0

    def _body(self) -> tuple[bytes | None, Path | None]:
        """The body: an upload as a file, all else as bytes; neither where it is not whole."""
        length = int(self.headers.get("Content-Length") or 0)
        if "chunked" in (self.headers.get("Transfer-Encoding") or ""):
            return self._chunks(), None
        if self.command != "PUT":
            body = self.rfile.read(length)
            return (body if len(body) == length else None), None
        return None, self._upload(length)

    def _upload(self, length: int) -> Path | None:
        with tempfile.NamedTemporaryFile(dir=self.emulator.folder, delete=False) as file:
            left = length
            while left and (piece := self.rfile.read(min(PIECE, left))):
                left -= file.write(piece)
        if left:
            Path(file.name).unlink()
            return None
        return Path(file.name)

    def _chunks(self) -> bytes:
        body = b""
        while size := int(self.rfile.readline().split(b";")[0] or b"0", 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it is closed already
