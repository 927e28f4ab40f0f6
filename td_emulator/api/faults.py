"""Faults on request: which request, or which job, fails and how."""

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
    """One fault. Of the requests (or jobs) that match the regular expression `path`, the first `at`
    succeed and the next `times` fail.

    500, 503, 429, 401, 403, 422   that status; nothing is done
    cut, cut_after                 the connection is closed, before the work or after it
    half                           the work is done, the answer ends in its middle
    half_upload                    only the first half of an upload is kept
    twice                          the request is handled twice, as where a proxy repeats it
    slow                           the work is done, the answer comes after `seconds`
    expired                        401 from then on, until `Faults.clear`
    job_error, job_killed          the job ends in this state; its statements are not run
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
    """The planned faults; safe under concurrent requests."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._planned: list[tuple[Fault, int]] = []  # a fault, matching requests so far
        self._expired = False

    def plan(self, *faults: Fault) -> None:
        """Add faults; each counts the requests from now on."""
        with self._lock:
            self._planned += [(fault, 0) for fault in faults]

    def clear(self) -> None:
        """Remove every fault; an expired key is valid again."""
        with self._lock:
            self._planned, self._expired = [], False

    @property
    def waiting(self) -> int:
        """How many planned faults have not happened as many times as planned."""
        return len(self._planned)

    def of_request(self, path: str) -> Fault | None:
        """The fault of this request, if any."""
        with self._lock:
            fault = self._next(path, jobs=False)
            if fault is not None and fault.kind == "expired":
                self._expired = True
            return Fault("401") if self._expired else fault

    def of_job(self, path: str) -> Fault | None:
        """The fault of the job that a request to this path starts, if any."""
        with self._lock:
            return self._next(path, jobs=True)

    def _next(self, path: str, *, jobs: bool) -> Fault | None:
        """Count this request (or job) for every fault that matches it; the first one due, if any.

        A fault that is due while an earlier one strikes is used up, too.
        """
        due, still_planned = None, []
        for fault, matches in self._planned:
            if (fault.kind in _JOBS) == jobs and re.search(fault.path, path):
                matches += 1
                if matches > fault.at and due is None:
                    due = fault
            if matches < fault.at + fault.times:
                still_planned.append((fault, matches))
        self._planned = still_planned
        return due
