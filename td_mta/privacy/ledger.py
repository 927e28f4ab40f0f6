"""How much of a data set's privacy budget is spent: a file that only grows, and a witness of it.

A line is written and on the disk before anything is released, so a process that is killed has spent
too much rather than too little. Each line holds a hash of itself and the one before it, and a
witness in another folder knows how many lines there were and the last hash: a ledger that was
deleted, cut or changed is refused. Whoever can change both files can deceive it.
"""

import contextlib
import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

START = "0" * 64


class LedgerError(ValueError):
    """The budget would be overspent, or the ledger is not what it was; the message says which."""


@dataclass(frozen=True)
class Ledger:
    """The ledger of one data set."""

    path: Path
    witness: Path  # in a folder of its own

    def spent(self) -> Fraction:
        """What was charged so far."""
        with self._locked():
            return sum((Fraction(e["epsilon"]) for e in self._entries()), Fraction(0))

    def charge(self, epsilon: Fraction, budget: Fraction, what: str) -> Fraction:
        """Charge a release before it is made; returns what is left of the budget.

        Raises `LedgerError`, and charges nothing, where that is more than is left, where the budget
        is not that of the first release, and where the ledger is not what it was.
        """
        if epsilon <= 0:
            raise LedgerError(f"epsilon must be above 0, got {float(epsilon):g}")
        with self._locked():
            entries = self._entries()
            if entries and Fraction(entries[0]["budget"]) != budget:
                raise LedgerError(
                    f"{self.path}: the budget of this data set is {entries[0]['budget']} since its "
                    f"first release, got {budget}"
                )
            spent = sum((Fraction(entry["epsilon"]) for entry in entries), Fraction(0))
            if spent + epsilon > budget:
                raise LedgerError(
                    f"{self.path}: epsilon {float(spent):g} of {float(budget):g} is spent, "
                    f"{float(epsilon):g} more would be too much; nothing was released"
                )
            self._append(entries, epsilon, budget, what)
            return budget - spent - epsilon

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        for folder in (self.path.parent, self.witness.parent):
            folder.mkdir(parents=True, exist_ok=True)
        with self.witness.with_suffix(".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # given back when the process ends, however it ends
            yield

    def _entries(self) -> list[dict[str, str]]:
        entries, last = self._whole_lines(), START
        for entry in entries:
            if entry["before"] != last or entry["hash"] != _hash(entry):
                raise LedgerError(f"{self.path} was changed; restore it from a backup")
            last = entry["hash"]
        number, seen = self._witnessed()
        if number > len(entries) or (number and entries[number - 1]["hash"] != seen):
            raise LedgerError(
                f"{self.path} has {len(entries)} releases, {self.witness} has seen {number}: it "
                "was deleted or rolled back; restore it from a backup"
            )
        return entries

    def _whole_lines(self) -> list[dict[str, str]]:
        """A line without an end was never charged: its process was killed while it wrote."""
        if not self.path.exists():
            return []
        content = self.path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        try:
            return [json.loads(line) for line in whole.splitlines()]
        except ValueError:
            raise LedgerError(f"{self.path} was changed; restore it from a backup") from None

    def _witnessed(self) -> tuple[int, str]:
        if not self.witness.exists():
            return 0, START
        number, _, seen = self.witness.read_text("utf-8").strip().partition(" ")
        return int(number), seen

    def _append(
        self, entries: list[dict[str, str]], epsilon: Fraction, budget: Fraction, what: str
    ) -> None:
        entry = {
            "epsilon": str(epsilon),
            "budget": str(budget),
            "what": what,
            "before": entries[-1]["hash"] if entries else START,
        }
        entry["hash"] = _hash(entry)
        line = json.dumps(entry).encode() + b"\n"
        whole = sum(len(json.dumps(one).encode()) + 1 for one in entries)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            os.ftruncate(descriptor, whole)  # a line that was never whole
            os.lseek(descriptor, whole, os.SEEK_SET)
            os.write(descriptor, line)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        _sync_folder(self.path.parent)
        part = self.witness.with_suffix(".part")
        with part.open("w", encoding="utf-8") as file:
            file.write(f"{len(entries) + 1} {entry['hash']}\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, self.witness)
        _sync_folder(self.witness.parent)


def _hash(entry: dict[str, str]) -> str:
    content = {name: entry[name] for name in ("epsilon", "budget", "what", "before")}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
