"""The emulator among pages, clients and files that mean harm, and many at once."""

import contextlib
import gzip
import hmac
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

import msgpack
import psutil
import pyarrow as pa
import pytest
import urllib3

from td_emulator import (
    API_KEY,
    READ_ONLY_KEY,
    EmbeddedEngine,
    Emulator,
    EngineError,
    QueryResult,
)
from td_emulator.api import bodies, keys, records, server

KEY = {"Authorization": f"TD1 {API_KEY}"}
LIST = "/v3/database/list"


@pytest.fixture
def td(tmp_path: Path) -> Iterator[Emulator]:
    with Emulator(EmbeddedEngine(tmp_path / "databases")) as emulator:
        emulator.create_database("mta")
        yield emulator


def status(td: Emulator, head: str, body: bytes = b"", *, ends: bool = True) -> int:
    """The status of the answer to a request that is written by hand; 0 without an answer."""
    port = int(td.endpoint.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(head.replace("\n", "\r\n").encode() + b"\r\n\r\n" + body)
        if ends:
            connection.shutdown(socket.SHUT_WR)
        answer = connection.recv(100)
    return int(answer.split()[1]) if answer else 0


def ask(td: Emulator, method: str, path: str, body: bytes | None = None) -> int:
    pool = urllib3.PoolManager(retries=False, timeout=20)
    return pool.request(method, td.url.rstrip("/") + path, headers=KEY, body=body).status


@pytest.mark.parametrize(
    ("host", "wanted"),
    [
        ("127.0.0.1:80", 200),
        ("localhost:8801", 200),
        ("LOCALHOST", 200),
        ("[::1]:8801", 200),
        ("evil.example", 421),
        ("evil.example:8801", 421),
        ("127.0.0.1.evil.example", 421),
        ("localhost@evil.example", 421),
        ("127.0.0.1:8801:1", 421),
        ("", 421),
    ],
)
def test_only_names_of_this_machine_are_answered(td: Emulator, host: str, wanted: int) -> None:
    head = f"GET {LIST} HTTP/1.1\nHost: {host}\nAuthorization: {API_KEY}"
    assert status(td, head) == wanted


def test_keys_are_random_and_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len({API_KEY, READ_ONLY_KEY}) == 2
    assert len(set(API_KEY)) > 6  # 40 random digits of 16 kinds
    compared: list[bytes] = []

    def compare(given: bytes, key: bytes) -> bool:
        compared.append(key)
        return given == key

    monkeypatch.setattr(hmac, "compare_digest", compare)
    assert keys.may(f"TD1 {API_KEY}") == "write"
    assert keys.may("") is None
    assert keys.may("é") is None
    assert compared == [API_KEY.encode(), READ_ONLY_KEY.encode()] * 3


def test_the_key_is_in_no_log(td: Emulator, caplog: pytest.LogCaptureFixture) -> None:
    lines: list[str] = []
    td._server.line = lines.append
    ask(td, "GET", LIST)
    status(td, f"GET {LIST} HTTP/1.1\nHost: evil\nAuthorization: {API_KEY}")
    assert len(lines) == 2
    assert API_KEY not in "".join([*lines, caplog.text, *map(repr, td.requests)])


LENGTHS = {
    "no_number": ("Content-Length: many", 400),
    "negative": ("Content-Length: -1", 400),
    "of_thousands_of_digits": (f"Content-Length: {'9' * 5000}", 400),
    "too_much": (f"Content-Length: {1 << 40}", 413),
    "two_kinds": ("Content-Length: 5\nTransfer-Encoding: chunked", 400),
    "another_coding": ("Transfer-Encoding: gzip", 400),
}


@pytest.mark.parametrize("name", LENGTHS)
def test_a_length_that_is_none_is_refused(td: Emulator, name: str) -> None:
    header, wanted = LENGTHS[name]
    head = f"POST /v1/statement HTTP/1.1\nHost: localhost\nAuthorization: {API_KEY}\n{header}"
    assert status(td, head) == wanted
    assert ask(td, "GET", LIST) == 200


@pytest.mark.parametrize("size", [b"-5", b"zz", b"f" * 5000, b"fffffffffff"])
def test_a_chunk_of_no_size_is_refused(td: Emulator, size: bytes) -> None:
    head = f"POST /v1/statement HTTP/1.1\nHost: localhost\nAuthorization: {API_KEY}"
    assert status(td, f"{head}\nTransfer-Encoding: chunked", size + b"\r\nhello") in (400, 413)


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_large_body_without_a_key_is_not_read(td: Emulator, method: str) -> None:
    path = "/v3/bulk_import/upload_part/x/y"
    before = psutil.Process().memory_info().rss
    head = f"{method} {path} HTTP/1.1\nHost: localhost\nContent-Length: 1500000000"
    assert status(td, head, b"x" * 100_000, ends=False) == 413
    assert psutil.Process().memory_info().rss - before < 50 << 20
    small = f"{method} {path} HTTP/1.1\nHost: localhost\nContent-Length: 5"
    assert status(td, small, b"hello") == 401


def test_a_client_that_stops_sending_is_left(td: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    assert server._Handler.timeout == server.READ_SECONDS
    monkeypatch.setattr(server._Handler, "timeout", 0.2)
    head = f"POST /v1/statement HTTP/1.1\nHost: localhost\nAuthorization: {API_KEY}"
    assert status(td, f"{head}\nContent-Length: 100", b"select", ends=False) == 0
    assert ask(td, "GET", LIST) == 200


@pytest.mark.parametrize(
    "name", ["../outside", "..", ".", "/etc", "a/../../b", "a\\b", "a\0b", "mta/../../x", "é" * 5]
)
def test_a_path_is_no_name(td: Emulator, tmp_path: Path, name: str) -> None:
    written = quote(name, safe="")
    before = sorted(tmp_path.rglob("*"))
    for path in (
        f"/v3/database/create/{written}",
        f"/v3/database/delete/{written}",
        f"/v3/table/create/mta/{written}/log",
        f"/v3/table/create/{written}/touches/log",
        f"/v3/table/delete/mta/{written}",
        f"/v3/bulk_import/create/x/mta/{written}",
        f"/v3/table/swap/mta/{written}/{written}",
    ):
        assert ask(td, "POST", path) in (404, 422)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_path_is_no_name_in_sql(td: Emulator, tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("a\n1\n", encoding="utf-8")
    before = sorted(tmp_path.rglob("*"))
    for sql in (
        'select * from "../secret"',
        'select * from "..".secret',
        'create table "../made" as select 1 as a',
        'create table ".."."made" as select 1 as a',
        'drop table "../secret"',
        'insert into "../secret" select 1',
    ):
        with pytest.raises(Exception, match=r"does not exist|not allowed|no table"):
            td.engine.run(sql, "mta", 0)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    "sql",
    [
        f"select {'(' * 3000}a{')' * 3000} from touches",
        f"select a from touches where {'not ' * 3000} a = 1",
        f"insert into touches select {'(' * 3000}1{')' * 3000}, 5",
        f"create table made as select {'(' * 3000}1{')' * 3000} as a",
        "(" * 20_000,
    ],
    ids=["parentheses", "not", "insert", "create", "open"],
)
def test_a_query_that_is_too_deep_leaves_the_emulator_at_work(td: Emulator, sql: str) -> None:
    td.engine.write("mta", "touches", pa.table({"a": [1], "time": [1]}))
    with pytest.raises(EngineError, match="nested too deep"):
        td.engine.run(sql, "mta", 0)
    many = ", ".join(map(str, range(10_000)))  # sql_in_segv: it took the emulator with it
    result = td.engine.run(f"select a from touches where a in ({many})", "mta", 0)
    assert isinstance(result, QueryResult)
    assert pa.Table.from_batches(result.batches).to_pydict() == {"0": [1]}


def _part(folder: Path, data: bytes) -> dict[str, Path]:
    path = folder / "part.msgpack.gz"
    path.write_bytes(gzip.compress(data))
    return {"1": path}


BOMBS = {
    "text_of_gigabytes": b"\xdb\xff\xff\xff\xff" + b"x" * 100,
    "list_of_gigabytes": b"\xdd\xff\xff\xff\xff" + b"\xc0" * (1 << 23),
    "empty_lists": b"\xdd\x00\x80\x00\x00" + b"\x90" * (1 << 23),
    "deep_lists": b"\x91" * 100_000,
    "map_of_lists": b"\x81\x90\x01",
    "a_zip_of_zeros": b"\xc0" * (1 << 22),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_part_that_means_harm_is_a_wrong_part(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "LITTLE_BYTES", 1 << 20)
    before = psutil.Process().memory_info().rss
    parts = _part(tmp_path, BOMBS[name])
    imported = records.read_parts(parts, {}, tmp_path / "rows.arrow")
    assert (imported.valid_parts, imported.error_parts) == (0, 1)
    assert psutil.Process().memory_info().rss - before < 600 << 20


def test_wrong_records_that_are_large_are_counted_and_not_kept(tmp_path: Path) -> None:
    wrong = msgpack.packb({"no_time": "x" * 20_000}) * 50 + msgpack.packb({"no_time": "x"})
    imported = records.read_parts(_part(tmp_path, wrong), {}, tmp_path / "rows.arrow")
    assert (imported.error_records, imported.errors) == (51, [{"no_time": "x"}])


def test_fifty_threads_of_swaps_renames_and_imports_lose_nothing(td: Emulator) -> None:
    names = [f"table_{number}" for number in range(8)]
    for number, name in enumerate(names):
        td.engine.write("mta", name, pa.table({"n": [number], "time": [number]}))
    assert ask(td, "POST", "/v3/table/create/mta/loaded/log") == 200
    start = threading.Barrier(50)

    def swap(number: int) -> None:
        start.wait(20)
        first, second = names[number % 8], names[(number * 3 + 1) % 8]
        for _ in range(4):
            assert ask(td, "POST", f"/v3/table/swap/mta/{first}/{second}") == 200

    def rename(number: int) -> None:
        td.engine.write("mta", f"mine_{number}", pa.table({"n": [number], "time": [number]}))
        start.wait(20)
        assert ask(td, "POST", f"/v3/table/rename/mta/mine_{number}/done_{number}") == 200

    def load(number: int) -> None:
        part = gzip.compress(msgpack.packb({"n": number, "time": number}))
        start.wait(20)
        for method, path, body in (
            ("POST", f"create/i{number}/mta/loaded", None),
            ("PUT", f"upload_part/i{number}/1", part),
            ("POST", f"freeze/i{number}", None),
            ("POST", f"perform/i{number}", None),
        ):
            assert ask(td, method, f"/v3/bulk_import/{path}", body) == 200
        while ask(td, "POST", f"/v3/bulk_import/commit/i{number}") == 409:
            pass

    works = [swap] * 20 + [rename] * 15 + [load] * 15
    with ThreadPoolExecutor(max_workers=50) as pool:
        for future in [pool.submit(work, number) for number, work in enumerate(works)]:
            future.result(120)
    td._imports.stop()
    assert set(td.engine.tables("mta")) == {
        *names, "loaded", *(f"done_{number}" for number in range(20, 35))
    }  # fmt: skip
    kept = [td.engine.read("mta", name)["n"].to_pylist() for name in names]
    assert sorted(kept) == [[number] for number in range(8)]
    loaded = td.engine.read("mta", "loaded")["n"].to_pylist()
    assert sorted(loaded) == list(range(35, 50))


def test_a_body_may_come_in_chunks(td: Emulator) -> None:
    head = f"POST /v1/statement HTTP/1.1\nHost: localhost\nAuthorization: {API_KEY}"
    body = b"8\r\nselect 1\r\n0\r\n\r\n"
    assert status(td, f"{head}\nTransfer-Encoding: chunked", body) == 200
    assert td.requests[-1].parameters["query"] == "select 1"
    assert bodies.MOST_UNKNOWN < bodies.MOST_BODY < bodies.MOST_UPLOAD


def test_one_connection_too_many_is_refused_and_the_next_one_served(
    td: Emulator,
) -> None:
    address = ("127.0.0.1", int(td.endpoint.rpartition(":")[2]))
    with contextlib.ExitStack() as stack:
        for _ in range(server.MOST_CONNECTIONS):
            stack.enter_context(socket.create_connection(address, timeout=10))
        with socket.create_connection(address, timeout=10) as one_more:
            answer = one_more.recv(1000)
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert answer.endswith(b"takes %d connections at one time" % server.MOST_CONNECTIONS)
    for _ in range(100):  # until the threads have seen that their clients went away
        if ask(td, "GET", LIST) == 200:
            return
        time.sleep(0.05)
    pytest.fail("no connection is served any more")
