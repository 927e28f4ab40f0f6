"""Requests to Treasure Data's API: made by pytd's td-client, tried again with patience and a limit.

td-client by itself would retry for ten minutes in silence and then lose the reason; here it is told
not to, and what failed comes back in our words. The key appears in none of them, nor in any log.
"""

import http.client
import json
import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import pytd
import tdclient.errors
import urllib3
from tdclient.api import API

from td_mta.errors import ConfigError, DataError, MtaError, WarehouseError

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


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long to wait for what, in seconds; a pause doubles from try to try."""

    connect: float = 5
    answer: float = 60
    tries: int = 9
    tries_before_first_answer: int = 3
    pause: float = 1
    longest_pause: float = 30
    poll: float = 1
    longest_poll: float = 10
    job: float = 24 * 3600
    commit: float = 3600


class TransientError(Exception):
    """A request that may succeed when made again."""

    def __init__(self, text: str, *, reached: bool = True, wait: float = 0) -> None:
        super().__init__(text)
        self.reached, self.wait = reached, wait


class MissingError(DataError):
    """404: the database, table, job or import is not there."""


class RefusedError(ConfigError):
    """401 or 403 to the very first try, so that nothing was done."""


class AlreadyThereError(DataError):
    """409; `details` is what the API adds, such as the id of the job that was meant."""

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
    """One account and key. `sleep` is an argument so that tests can watch it."""

    def __init__(
        self,
        key: str,
        server: str,
        database: str,
        patience: Patience,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.server, self.patience, self.sleep = server, patience, sleep
        self.answered = False
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
        """The answer to a request, tried again while that may help.

        A request whose answer was lost may have been carried out: `done` looks, and gives the
        answer then. With `forward` a refused key is tried again, too, since stopping would leave
        half of the work. Raises an `MtaError` that says what failed.
        """
        failures = Tries(self, what, forward=forward, most=tries)
        while True:
            try:
                answer = request(self.api)
            except FAILURES as error:
                if failures.count and done and (there := done()):
                    return there  # a repetition of what was carried out after all is refused
                failures.failed(error)
            else:
                self.answered = True
                return answer
            if done and (there := done()):
                return there

    def scrub(self, text: str) -> str:
        """The text without the key."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text


class Tries:
    """Counts what failed; sleeps before the next try or raises what the user is to know."""

    def __init__(
        self,
        connection: Connection,
        what: str,
        *,
        forward: bool = False,
        most: int | None = None,
    ) -> None:
        self.connection, self.what, self.forward = connection, what, forward
        self.most, self.count = most, 0

    def failed(self, error: Exception) -> None:
        """Return after a pause when another try may help."""
        again = self._transient(error)
        if again is None:
            raise self._final(error) from None
        self.count += 1
        connection, patience = self.connection, self.connection.patience
        connection.answered |= again.reached
        known = patience.tries if connection.answered else patience.tries_before_first_answer
        most = self.most or known
        told = connection.scrub(f"{self.what}: {again}")
        if self.count >= most:
            raise self._given_up(again, told) from None
        pause = min(patience.pause * 2 ** (self.count - 1), patience.longest_pause)
        pause = min(max(pause, again.wait), patience.longest_pause)
        log.warning("%s; trying again in %g s (%d of %d)", told, pause, self.count, most)
        connection.sleep(pause)

    def progressed(self) -> None:
        """Something came, so that the next failure is the first one again."""
        self.count = 0
        self.connection.answered = True

    def _transient(self, error: Exception) -> TransientError | None:
        if isinstance(error, TransientError):
            return error
        if self.forward and isinstance(error, _REFUSALS):
            return TransientError(_said(error))
        if isinstance(error, tdclient.errors.APIError):
            # td-client's own words for an answer that was cut or is not JSON
            broken = str(error).startswith("Unexpected API response")
            return TransientError(str(error)[:200], reached=False) if broken else None
        return TransientError(str(error) or type(error).__name__)

    def _final(self, error: Exception) -> MtaError:
        said = self.connection.scrub(_said(error))
        place = f"{self.what}: {self.connection.server}"
        refused = ConfigError if self.count else RefusedError
        if isinstance(error, tdclient.errors.AuthError):
            return refused(
                f"{place} does not accept TD_API_KEY (401: {said}): set {MASTER_KEY}, not expired, "
                "and TD_API_SERVER to the account's region"
            )
        if isinstance(error, tdclient.errors.ForbiddenError):
            return refused(
                f"{place} does not allow this to TD_API_KEY (403: {said}): set {MASTER_KEY}, "
                "of a user with access to the database"
            )
        if isinstance(error, tdclient.errors.NotFoundError):
            return MissingError(f"{place} says: {said}")
        if isinstance(error, tdclient.errors.AlreadyExistsError):
            return AlreadyThereError(f"{place} says: {said}", _body(error).get("details") or {})
        return WarehouseError(f"{place} refused: {said}")

    def _given_up(self, error: TransientError, told: str) -> MtaError:
        if not error.reached and not self.connection.answered:
            return WarehouseError(
                f"{self.connection.server} cannot be reached, or is not Treasure Data's API "
                f"({self.connection.scrub(str(error))}): check TD_API_SERVER, the network, a proxy"
            )
        return WarehouseError(
            f"{told} at {self.connection.server}, tried {self.count} times; start again when "
            "Treasure Data and the network are well"
        )


class _Once(urllib3.Retry):
    """urllib3's place to decide on a failure: report it with its reason, do not retry in there."""

    def increment(self, method=None, url=None, response=None, error=None, *args, **kwargs):  # type: ignore[no-untyped-def]
        if response is not None and response.get_redirect_location():
            return super().increment(method, url, response, error, *args, **kwargs)
        if response is None:
            raise TransientError(_reason(error), reached=not isinstance(error, _UNREACHED))
        wait = response.headers.get("Retry-After", "")
        raise TransientError(
            f"{response.status} {response.reason or ''}".strip(),
            wait=float(wait) if wait.isdigit() else 0,
        )


_REFUSALS = (tdclient.errors.AuthError, tdclient.errors.ForbiddenError)


def _reason(error: Exception) -> str:
    """What urllib3 says without the objects in it: `[Errno 111] Connection refused`."""
    text = re.sub(r"<[^<>]*>|\w+Connection(Pool)?\([^()]*\)", "", str(error))
    return text.lstrip(" :,(") or type(error).__name__


def _said(error: Exception) -> str:
    """The API's text of an error, without the JSON around it."""
    body = _body(error)
    text = body.get("text") or body.get("message") or body.get("error")
    return str(text or error)


def _body(error: Exception) -> dict[str, Any]:
    start = str(error).find("{")
    try:
        body = json.loads(str(error)[start:]) if start >= 0 else {}
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _shows_no_headers(record: logging.LogRecord) -> bool:
    """td-client logs the headers of each request, and with them the key, at level DEBUG."""
    return "headers" not in str(record.msg)
