"""Misbehaviour to order: which request, or which job, goes wrong and how."""

import re
import threading
from dataclasses import dataclass
from typing import Literal, get_args

RequestKind = Literal[
    "500",
    "503",
    "429",
    "401",
    "403",
    "422",
    "cut",
    "cut_after",
    "half",
    "half_upload",
    "twice",
    "slow",
    "expired",
]
JobKind = Literal["job_error", "job_killed", "job_slow"]
_JOBS = get_args(JobKind)


@dataclass(frozen=True)
class Fault:
    """One fault. Of the requests (or jobs) that match `path`, `at` pass and the next `times` fail.

    500, 503, 429, 401, 403, 422   that status; nothing is done
    cut, cut_after                 the connection is closed before any work, or after it unanswered
    half                           the work is done, the answer ends in its middle
    half_upload                    of what is uploaded only the first half is kept
    twice                          it comes twice, as through a proxy that sends it again
    slow                           the work is done, the answer comes after `seconds`
    expired                        401 from then on, until `Faults.clear`
    job_error, job_killed          the job ends so; its statements are not run
    job_slow                       the job takes `seconds` longer
    """

    kind: RequestKind | JobKind
    at: int = 0
    path: str = ""
    times: int = 1
    seconds: float = 2.0

    def __post_init__(self) -> None:
        kinds = (*get_args(RequestKind), *_JOBS)
        if self.kind not in kinds:
            raise ValueError(f"Fault kind {self.kind!r}: must be one of {', '.join(kinds)}")


class Faults:
    """The faults that are planned; safe under concurrent requests."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._planned: list[tuple[Fault, int]] = []  # a fault, how many matches it has seen
        self._expired = False

    def plan(self, *faults: Fault) -> None:
        """Let each fault happen; its count starts now."""
        with self._lock:
            self._planned += [(fault, 0) for fault in faults]

    def clear(self) -> None:
        """Forget every fault, also that the key has expired."""
        with self._lock:
            self._planned, self._expired = [], False

    @property
    def waiting(self) -> int:
        """How many planned faults have not happened in full yet."""
        return len(self._planned)

    def of_request(self, path: str) -> Fault | None:
        """The fault that strikes this request, if any."""
        with self._lock:
            struck = self._struck(path, jobs=False)
            self._expired = self._expired or (struck is not None and struck.kind == "expired")
            return Fault("401") if self._expired else struck

    def of_job(self, path: str) -> Fault | None:
        """The fault that strikes the job which a request to this path starts, if any."""
        with self._lock:
            return self._struck(path, jobs=True)

    def _struck(self, path: str, *, jobs: bool) -> Fault | None:
        struck, left = None, []
        for fault, seen in self._planned:
            if (fault.kind in _JOBS) == jobs and re.search(fault.path, path):
                seen += 1
                if seen > fault.at and struck is None:
                    struck = fault
            if seen < fault.at + fault.times:
                left.append((fault, seen))
        self._planned = left
        return struck
