"""http> and mail> against servers of this machine; other hosts only where they are allowed.

What is stored and sent was read in Digdag's source; one refused connection was recorded.
"""

import json
import socketserver
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from local_runner.__main__ import main


class Web(BaseHTTPRequestHandler):
    """Answers with what it was asked; `/to` sends on, `/no` refuses."""

    def _reply(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length).decode()
        asked = [self.command, self.path, self.headers.get("Content-Type"), body]
        content = json.dumps([*asked, self.headers.get("X-A"), self.headers.get("Authorization")])
        status = {"/no": 404, "/to": 302, "/out": 302}.get(self.path, 200)
        self.send_response(status)
        self.send_header("Location", {"/out": "http://example.com/"}.get(self.path, "/there"))
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content.encode())

    do_GET = do_POST = _reply  # noqa: N815 (the names that http.server looks for)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class Mailbox(socketserver.StreamRequestHandler):
    """As much of SMTP as a client needs; the lines of messages go to `received`."""

    received: list[str]

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        in_message = False
        for raw in self.rfile:
            line = raw.decode().rstrip("\r\n")
            self.received.append(line)
            if in_message:
                in_message = line != "."
                if in_message:
                    continue
            in_message = line.lower() == "data"
            codes = {"data": 354, "quit": 221}
            self.wfile.write(b"%d ok\r\n" % codes.get(line.lower(), 250))
            if line.lower() == "quit":
                return


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def web() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Web) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def run(project: Path, dig: str, *more: str) -> int:
    (project / "main.dig").write_text(dig, encoding="utf-8")
    return main(["run", "main.dig", "--session", "2026-03-01", *more])


@pytest.mark.parametrize(
    ("options", "asked"),
    [
        ("", ["GET", "/", None, "", None, None]),
        ("query: {a: 'b c'}", ["GET", "/?a=b+c", None, "", None, None]),
        ("query: x=1&y=2", ["GET", "/?x=1&y=2", None, "", None, None]),
        ("headers: [{X-A: '${secret:a}'}]", ["GET", "/", None, "", "word", None]),
        (
            "method: post, content: {d: '${session_date}', n: 1}",
            ["POST", "/", "application/json", '{"d":"2026-03-01","n":1}', None, None],
        ),
        (
            "method: POST, content: {a: 'b c'}, content_format: form",
            ["POST", "/", "application/x-www-form-urlencoded", "a=b+c", None, None],
        ),
        (
            "method: POST, content: text, content_type: text/csv",
            ["POST", "/", "text/csv", "text", None, None],
        ),
    ],
)
def test_a_request_is_sent_as_stated(
    options: str, asked: list, web: str, project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    dig = (
        f"+h: {{http>: '{web}/', store_content: true, {options}}}\n"
        "+e: {echo>: '${http.last_status} ${http.last_content}'}\n"
    )
    assert run(project, dig, "--secret", "a=word") == 0
    status, _, content = capfd.readouterr().out.partition(" ")
    assert status == "200"
    assert json.loads(content) == asked


def test_redirects_failures_and_the_secret_of_a_user(
    web: str, project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    dig = "+h: {http>: '%s', store_content: true}\n+e: {echo>: '${http.last_content}'}\n"
    assert run(project, dig % f"{web}/to", "--secret", "http.user=u") == 0
    asked = json.loads(capfd.readouterr().out)
    assert (asked[1], asked[-1]) == ("/there", "Basic dTo=")
    assert run(project, dig % f"{web}/no") == 1
    assert f"HTTP 4XX Client Error: GET {web}/no: 404 Not Found" in capfd.readouterr().err
    assert run(project, dig % f"{web}/out") == 1
    assert "http> to example.com needs --allow-network example.com" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("task", "message"),
    [
        (
            "http>: https://example.com/x",
            "http> reaches example.com: allow it with --allow-network ex",
        ),
        (
            "http>: '${td.url}'",
            "http> reaches a host known only in the run: allow it with --allow-n",
        ),
        ("http>: 'http://${secret:h}/'", "the secret h is missing"),
        ("mail>: {data: hi}", "mail> has no mail server here, as Treasure Data has: give"),
        ("mail>: {data: hi}\n  host: mx.example.com", "mail> reaches mx.example.com: allow it"),
        ("mail>: body.txt\n  host: localhost", "mail>: no such file, or not UTF-8: body.txt"),
    ],
)
def test_what_would_leave_this_machine_is_refused_unless_it_is_allowed(
    task: str, message: str, project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(project, f"+a:\n  {task}\n") == 2
    assert f"main.dig:2: {message}" in capfd.readouterr().err
    if "td.url" not in task:
        written = task.replace("body.txt", "{data: x}")
        assert run(project, f"+a:\n  {written}\n", "--dry-run") == 0


def test_a_mail_reaches_its_server(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    Mailbox.received = received = []
    (project / "body.txt").write_text("It is ${session_date}.\n", encoding="utf-8")
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Mailbox) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        dig = (
            "+m:\n  mail>: body.txt\n  subject: Done\n  from: a@example.com\n"
            "  to: [b@example.com]\n  cc: [c@example.com]\n  attach_files: [{path: body.txt}]\n"
            f"  host: 127.0.0.1\n  port: {server.server_address[1]}\n"
        )
        assert run(project, dig) == 0, capfd.readouterr().err
        server.shutdown()
    assert [line for line in received if line.lower().startswith("rcpt")] == [
        "rcpt TO:<b@example.com>",
        "rcpt TO:<c@example.com>",
    ]
    assert {"Subject: Done", "From: a@example.com", "It is 2026-03-01."} <= set(received)
    assert 'Content-Disposition: attachment; filename="body.txt"' in received
