"""Requests to Treasure Data's API through td-client, repeated while that may help.

td-client by itself would retry for ten minutes in silence and then lose the reason; here its own
retries are off, and a failure is an error of ours that names the request. The key appears in no
error and in no log.
"""

import http.client
import json
import logging
import re
import time
from collections.abc import Callable
from typing import Any, TypeVar

import pytd
import tdclient.errors
import urllib3
from tdclient.api import API

from td_mta.errors import ConfigError, DataError, MtaError, WarehouseError
from td_mta.warehouse.td_patience import Patience

log = logging.getLogger(__name__)
T = TypeVar("T")

MASTER_KEY = "the account's master key (ACCOUNT/KEY), which may write"
_BUSY = (429, 500, 502, 503, 504)
_UNREACHED = (
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ConnectTimeoutError,
    urllib3.exceptions.ProxyError,
    urllib3.exceptions.SSLError,
)


class TransientError(Exception):
    """A request that may succeed when repeated.

    `reached` says whether a server answered at all, `wait` how many seconds it asked to wait.
    """

    def __init__(self, text: str, *, reached: bool = True, wait: float = 0) -> None:
        super().__init__(text)
        self.reached, self.wait = reached, wait


class MissingError(DataError):
    """404: the database, table, job or import does not exist."""


class RefusedError(ConfigError):
    """401 or 403 to the first try, so that nothing was done."""


class AlreadyThereError(DataError):
    """409; `details` is what the API adds, such as the id of the job with the same domain key."""

    def __init__(self, text: str, details: dict[str, Any]) -> None:
        super().__init__(text)
        self.details = details


FAILURES = (
    TransientError,
    tdclient.errors.APIError,
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    OSError,
)


class Connection:
    """The API of one account, with its key. Tests watch the pauses by their own `sleep`."""

    def __init__(
        self,
        key: str,
        server: str,
        database: str,
        patience: Patience,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.server, self.patience, self.sleep = server, patience, sleep
        self.answered = False  # whether this server ever answered as Treasure Data does
        # the key is ACCOUNT/SECRET: neither it nor its secret part is shown
        self._secrets = [part for part in (key, key.rpartition("/")[2]) if part]
        logging.getLogger("tdclient.api").addFilter(_shows_no_headers)
        client = pytd.Client(
            apikey=key,
            endpoint=server.rstrip("/") + "/",
            database=database,
            max_cumul_retry_delay=-1,
            retries=_Once(total=3, status_forcelist=_BUSY, allowed_methods=None),
            timeout=urllib3.Timeout(connect=patience.connect, read=patience.answer),
        )
        self.api: API = client.api_client.api

    def call(
        self,
        what: str,
        request: Callable[[API], T],
        done: Callable[[], T | None] | None = None,
        *,
        forward: bool = False,
        tries: int | None = None,
    ) -> T:
        """The answer to a request, which is repeated while that may help.

        `what` names the request in messages. A request whose answer was lost may have been carried
        out: `done` looks, and returns the answer if so, else None. With `forward` a refused key
        does not end the tries either, since stopping would leave half of the work. `tries` limits
        them. Raises an `MtaError` that says what failed.
        """
        failures = Tries(self, what, forward=forward, limit=tries)
        while True:
            try:
                answer = request(self.api)
            except FAILURES as error:
                # what was carried out by an earlier try is refused when repeated
                if failures.count and done and (earlier_answer := done()):
                    return earlier_answer
                failures.failed(error)
            else:
                self.answered = True
                return answer
            if done and (earlier_answer := done()):
                return earlier_answer

    def scrub(self, text: str) -> str:
        """The text without the key."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text


class Tries:
    """Counts the failures of one request; sleeps before the next try, or raises at the last."""

    def __init__(
        self,
        connection: Connection,
        what: str,
        *,
        forward: bool = False,
        limit: int | None = None,
    ) -> None:
        self.connection, self.what, self.forward = connection, what, forward
        self.limit, self.count = limit, 0

    def failed(self, error: Exception) -> None:
        """Return after a pause where another try may help, else raise an `MtaError`."""
        transient = self._transient(error)
        if transient is None:
            raise self._final_error(error) from None
        connection = self.connection
        self.count += 1
        connection.answered |= transient.reached
        limit = self._limit()
        failure = connection.scrub(f"{self.what}: {transient}")
        if self.count >= limit:
            raise self._last_error(transient, failure) from None
        pause = self._pause(transient)
        log.warning("%s; trying again in %g s (%d of %d)", failure, pause, self.count, limit)
        connection.sleep(pause)

    def progressed(self) -> None:
        """Note that a part of the answer came: the count of failures starts again at zero."""
        self.count = 0
        self.connection.answered = True

    def _limit(self) -> int:
        patience = self.connection.patience
        if self.limit:
            return self.limit
        answered = self.connection.answered
        return patience.tries if answered else patience.tries_before_first_answer

    def _pause(self, error: TransientError) -> float:
        """Seconds before the next try: doubled each time, or as the server asked."""
        patience = self.connection.patience
        pause = min(patience.pause * 2 ** (self.count - 1), patience.longest_pause)
        return min(max(pause, error.wait), patience.longest_pause)

    def _transient(self, error: Exception) -> TransientError | None:
        """The error as one that a repetition may help against; None where it cannot."""
        if isinstance(error, TransientError):
            return error
        if self.forward and isinstance(error, _REFUSALS):
            return TransientError(_reason_of_api(error))
        if isinstance(error, tdclient.errors.APIError):
            # td-client's own words for an answer that was cut or is not JSON
            broken = str(error).startswith("Unexpected API response")
            return TransientError(str(error)[:200], reached=False) if broken else None
        return TransientError(str(error) or type(error).__name__)

    def _final_error(self, error: Exception) -> MtaError:
        """What to raise for an answer that a repetition would not change."""
        reason = self.connection.scrub(_reason_of_api(error))
        subject = f"{self.what}: {self.connection.server}"
        refused = ConfigError if self.count else RefusedError
        if isinstance(error, tdclient.errors.AuthError):
            return refused(
                f"{subject} does not accept TD_API_KEY (401: {reason}): set {MASTER_KEY}, not "
                "expired, and TD_API_SERVER to the account's region"
            )
        if isinstance(error, tdclient.errors.ForbiddenError):
            return refused(
                f"{subject} does not allow this to TD_API_KEY (403: {reason}): set {MASTER_KEY}, "
                "of a user with access to the database"
            )
        if isinstance(error, tdclient.errors.NotFoundError):
            return MissingError(f"{subject} answers: {reason}")
        if isinstance(error, tdclient.errors.AlreadyExistsError):
            details = _body(error).get("details") or {}
            return AlreadyThereError(f"{subject} answers: {reason}", details)
        return WarehouseError(f"{subject} refused: {reason}")

    def _last_error(self, error: TransientError, failure: str) -> MtaError:
        """What to raise after the last try."""
        server = self.connection.server
        if not error.reached and not self.connection.answered:
            reason = self.connection.scrub(str(error))
            return WarehouseError(
                f"{server} cannot be reached, or is not Treasure Data's API ({reason}): check "
                "TD_API_SERVER, the network, a proxy"
            )
        return WarehouseError(
            f"{failure} at {server}, tried {self.count} times; start again when Treasure Data and "
            "the network work"
        )


class _Once(urllib3.Retry):
    """urllib3 asks this class after a failure: it raises the reason instead of retrying."""

    def increment(self, method=None, url=None, response=None, error=None, *args, **kwargs):  # type: ignore[no-untyped-def]
        if response is not None and response.get_redirect_location():
            return super().increment(method, url, response, error, *args, **kwargs)
        if response is None:
            reached = not isinstance(error, _UNREACHED)
            raise TransientError(_reason_of_network(error), reached=reached)
        status = f"{response.status} {response.reason or ''}".strip()
        retry_after = response.headers.get("Retry-After", "")
        raise TransientError(status, wait=float(retry_after) if retry_after.isdigit() else 0)


_REFUSALS = (tdclient.errors.AuthError, tdclient.errors.ForbiddenError)


def _reason_of_network(error: Exception) -> str:
    """urllib3's message without the objects in it: `[Errno 111] Connection refused`."""
    text = re.sub(r"<[^<>]*>|\w+Connection(Pool)?\([^()]*\)", "", str(error))
    return text.lstrip(" :,(") or type(error).__name__


def _reason_of_api(error: Exception) -> str:
    """The API's text of an error, without the JSON around it."""
    body = _body(error)
    text = body.get("text") or body.get("message") or body.get("error")
    return str(text or error)


def _body(error: Exception) -> dict[str, Any]:
    """The JSON object of an answer, which td-client puts at the end of its message."""
    start = str(error).find("{")
    try:
        body = json.loads(str(error)[start:]) if start >= 0 else {}
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _shows_no_headers(record: logging.LogRecord) -> bool:
    """td-client logs the headers of each request, and with them the key, at level DEBUG."""
    return "headers" not in str(record.msg)
