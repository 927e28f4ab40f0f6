"""A small client of Treasure Data's REST API: form-encoded requests, tried again where that helps.

Every request that changes something may be sent twice: jobs carry a domain key, and creating or
deleting twice ends with 409 or 404, which the callers take as done.
"""

import gzip
import itertools
import json
import re
import urllib.request
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode, urlsplit

from local_runner.task_request import TaskError
from local_runner.td.account import SERVER, ApiAccess
from local_runner.together import sleep
from td_mta.warehouse.td_patience import Patience

if TYPE_CHECKING:  # a dry run needs no client
    import urllib3

T = TypeVar("T")
Row = list[Any]
Fields = Sequence[tuple[str, str]]
_JAVA_KEY = re.compile(r"(?:[1-9][0-9]*/)?[a-f0-9]{40}")  # td-client-java prefixes only these
_ERROR_BYTES = 1 << 16
_TEMPORARY = frozenset({408, 429, *range(500, 600)})  # worth another try
REMEDIES = {
    401: "the API key is wrong or expired: see TD_API_KEY or the secret td.apikey",
    403: "the API key may not do this: the account's master key is needed, with write rights",
}


class TdApiError(TaskError):
    """A request that failed for good. `status` is None where no answer came.

    `details` is what the API adds, such as the id of a job that was started before.
    """

    def __init__(self, message: str, status: int | None = None, details: Any = None) -> None:
        super().__init__(message)
        self.status = status
        self.details = details if isinstance(details, dict) else {}


class TdApi:
    """One server and one key. A server that answers is added to `answered`."""

    def __init__(self, connection: ApiAccess, patience: Patience, answered: set[str]) -> None:
        import urllib3

        self._connection, self.patience, self._all_answered = connection, patience, answered
        timeout = urllib3.Timeout(connect=patience.connect, read=patience.answer)
        options: dict[str, Any] = {"timeout": timeout, "retries": False}
        proxy = proxy_of(connection.url)
        self._pool = (
            urllib3.ProxyManager(proxy, **options) if proxy else urllib3.PoolManager(**options)
        )

    def get(self, path: str, fields: Fields = ()) -> Any:
        """The JSON of an answer; raises `TdApiError`."""
        return self._call("GET", path, fields, _json)

    def post(self, path: str, fields: Fields = ()) -> Any:
        """The JSON of the answer to a form; raises `TdApiError`."""
        return self._call("POST", path, fields, _json)

    def post_json(self, path: str, body: str) -> Any:
        """The JSON of the answer to a JSON text; raises `TdApiError`."""
        return self._call("POST", path, body, _json)

    def result(self, job: str, read: Callable[[Iterator[Row]], T]) -> T:
        """What `read` makes of a job's rows. It may be called again with all of them."""
        fields = [("format", "msgpack.gz")]
        return self._call("GET", f"/v3/job/result/{job}", fields, lambda body: read(_rows(body)))

    def _call(
        self,
        method: str,
        path: str,
        fields: Fields | str,
        read: "Callable[[urllib3.BaseHTTPResponse], T]",
    ) -> T:
        for failures in itertools.count(start=1):
            try:
                return self._once(method, path, fields, read)
            except TdApiError as error:
                if failures >= self._most_tries(error):
                    raise
            pause = self.patience.pause * 2 ** (failures - 1)
            sleep(min(pause, self.patience.longest_pause))
        raise AssertionError("count() has no end")

    @property
    def _answered(self) -> bool:
        return self._connection.url in self._all_answered

    def _most_tries(self, error: TdApiError) -> int:
        if error.status is None and not self._answered:
            return self.patience.tries_before_first_answer
        if error.status in (401, 403):
            return 2  # as on Digdag
        is_temporary = error.status is None or error.status in _TEMPORARY
        return self.patience.tries if is_temporary else 1

    def _once(
        self,
        method: str,
        path: str,
        fields: Fields | str,
        read: "Callable[[urllib3.BaseHTTPResponse], T]",
    ) -> T:
        import urllib3

        what = f"API request {method} {path} has failed"
        try:
            with self._send(method, path, fields) as response:
                self._all_answered.add(self._connection.url)
                if response.status >= 300:
                    raise self._refused(what, response)
                return read(response)
        except (urllib3.exceptions.HTTPError, OSError, EOFError, zlib.error) as error:
            raise TdApiError(self._clean(self._broken(what, error))) from None
        except _NotJsonError:
            raise TdApiError(
                f"{what}: {self._connection.url} ({self._connection.named_by}) is not Treasure "
                "Data's API: its answer is not JSON",
                200,
            ) from None

    def _send(self, method: str, path: str, fields: Fields | str) -> "urllib3.BaseHTTPResponse":
        key = self._connection.key
        headers = {
            "User-Agent": "td-mta local_runner",
            "Authorization": f"TD1 {key}" if _JAVA_KEY.fullmatch(key) else key,
            "Accept-Encoding": "gzip",
        }
        is_json = isinstance(fields, str)
        url = self._connection.url + path
        form = fields if isinstance(fields, str) else urlencode(fields)
        if method == "GET":
            url += f"?{form}" if form else ""
            return self._pool.request(method, url, headers=headers, preload_content=False)
        kind = "json; charset=utf-8" if is_json else "x-www-form-urlencoded"
        headers["Content-Type"] = f"application/{kind}"
        body = form.encode("utf-8")
        return self._pool.request(method, url, body=body, headers=headers, preload_content=False)

    def _refused(self, what: str, response: "urllib3.BaseHTTPResponse") -> TdApiError:
        body = response.read(_ERROR_BYTES, decode_content=True)
        try:
            answer = json.loads(body)
        except ValueError:
            answer = {}
        answer = answer if isinstance(answer, dict) else {}
        text = str(answer.get("text") or answer.get("error") or answer.get("message") or "")
        remedy = REMEDIES.get(response.status, "")
        parts = [f"{what}: {response.status} {response.reason or ''}".strip(), text, remedy]
        message = self._clean(": ".join(part for part in parts if part))
        return TdApiError(message, response.status, answer.get("details"))

    def _broken(self, what: str, error: Exception) -> str:
        reason = getattr(error, "reason", None) or error
        if self._answered:
            retries = self.patience.tries - 1
            return f"{what}: the connection broke ({reason}) and {retries} retries failed"
        return (
            f"{what}: Treasure Data cannot be reached at {self._connection.url} "
            f"({self._connection.named_by}; {reason}). Check {SERVER}, td.endpoint and td.use_ssl, "
            "the network and its proxy"
        )

    def _clean(self, message: str) -> str:
        return message.replace(self._connection.key, "***")


class _NotJsonError(Exception):
    """A body that is not JSON."""


def _json(response: "urllib3.BaseHTTPResponse") -> Any:
    try:
        return json.loads(response.read(decode_content=True))
    except ValueError:
        raise _NotJsonError from None


def _rows(response: "urllib3.BaseHTTPResponse") -> Iterator[Row]:
    """Concatenated msgpack arrays, gzipped by the job and not by the transport."""
    import msgpack

    with gzip.GzipFile(fileobj=response) as plain:
        yield from msgpack.Unpacker(
            plain, strict_map_key=False, unicode_errors="replace", timestamp=0
        )
    if response.tell() == 0:
        raise EOFError("the result has no bytes at all")


def proxy_of(url: str) -> str | None:
    """The proxy that the environment names for a URL."""
    parts = urlsplit(url)
    if urllib.request.proxy_bypass(parts.netloc):
        return None
    return urllib.request.getproxies().get(parts.scheme)
