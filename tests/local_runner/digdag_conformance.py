"""Compares the local runner with recorded cases of the real Digdag: equal, refused or different."""

import collections
import contextlib
import json
import os
import re
import sys
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from local_runner.__main__ import main

PROBE = Path(__file__).parents[1] / "conformance" / "digdag"
SETS = (PROBE / "cases.jsonl", PROBE / "cases2.jsonl")
SECRETS = ("foo=secret-foo", "my.nested=secret-nested")
# As the records were shortened: a traceback to its last line where the error's name has no dot, and
# everything after one within a message.
TRACEBACK = re.compile(
    r"(?:\n(?:During handling of the|The) above exception.*:\n\n)?"
    r"Traceback \(most recent call last\):\n(?:[ \t].*\n)+(\w+(?::.*)?\n)?"
)
IN_MESSAGE = re.compile(r"\tfrom Traceback \(most recent call last\):\n[\s\S]*")


class Verdict(NamedTuple):
    """The result of a case, `equal`, `refused` or `different`, and what the local runner did.

    `succeeds` is whether the workflow succeeded on Digdag.
    """

    name: str
    verdict: str
    seen: str
    succeeds: bool


def cases(file: Path) -> list[dict[str, Any]]:
    """The recorded cases of a file."""
    lines = file.read_text(encoding="utf-8").split("\n")
    return [json.loads(line) for line in lines if line.strip()]


def check(case: dict[str, Any]) -> Verdict:
    """Run one case in a folder of its own."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary).resolve()
        root = folder / "project"
        for path, text in case["files"].items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(text.encode("utf-8"))
        with _environment(case, root):
            code = _exit_code(case)
        streams = [(folder / stream).read_text(encoding="utf-8") for stream in ("out", "err")]
        probe = cases(folder / "probe") if (folder / "probe").exists() else []
    out, err = (text.replace(str(root), "<PROJECT>") for text in streams)
    return _compare(case, code, out, err, probe)


def _exit_code(case: dict[str, Any]) -> int:
    secrets = [word for secret in SECRETS for word in ("--secret", secret)]
    argv = ["run", case["target"], "--session", case["session"], *secrets, *case.get("args", [])]
    try:
        return main(argv)
    except SystemExit as exit_:
        return int(exit_.code or 0)
    except Exception:
        traceback.print_exc()
        return -1  # a crash equals nothing


@contextlib.contextmanager
def _environment(case: dict[str, Any], root: Path) -> Iterator[None]:
    """The case's folder and environment, both streams in files next to it."""
    previous_environment, previous_folder = dict(os.environ), Path.cwd()
    os.environ |= {"PYTHONPATH": str(PROBE), "PROBE_OUT": str(root.parent / "probe")}
    os.environ |= {"PROBE_ROOT": str(root), "MY_OUTER": "outer", **case.get("env", {})}
    os.chdir(root)
    try:
        with _to_file(1, root.parent / "out"), _to_file(2, root.parent / "err"):
            yield
    finally:
        os.chdir(previous_folder)
        os.environ.clear()
        os.environ.update(previous_environment)


@contextlib.contextmanager
def _to_file(number: int, path: Path) -> Iterator[None]:
    """A standard stream of this process and its children goes to a file."""
    name = {1: "stdout", 2: "stderr"}[number]
    stream, saved = getattr(sys, name), os.dup(number)
    stream.flush()
    with path.open("w", encoding="utf-8") as file:
        os.dup2(file.fileno(), number)
        setattr(sys, name, file)
        try:
            yield
        finally:
            file.flush()
            setattr(sys, name, stream)
            os.dup2(saved, number)
            os.close(saved)


def _compare(
    case: dict[str, Any], code: int, out: str, err: str, probe: list[dict[str, Any]]
) -> Verdict:
    runs = [line.split("\t", 1) for line in err.split("\n") if re.match(r"\+\S*\t", line)]
    if code == 2 and not runs:
        return Verdict(case["name"], "refused", err, case["exit_code"] == 0)
    seen = {"runs": runs, "stdout": _plain_lines(out), "probe": probe}
    recorded = {key: case[key] for key in seen}
    for values in (seen, recorded) if case.get("unordered") else ():
        values.update({key: sorted(items, key=json.dumps) for key, items in values.items()})
    same = (code != 0) == (case["exit_code"] != 0) and code >= 0
    same &= json.dumps(seen, sort_keys=True) == json.dumps(recorded, sort_keys=True)
    text = f"exit {code}, recorded {case['exit_code']}\nseen     {seen}\nrecorded {recorded}\n{err}"
    succeeds = case["exit_code"] == 0
    return Verdict(case["name"], "equal" if same else "different", text, succeeds)


def counts(name: str, verdicts: Sequence[Verdict]) -> str:
    """One line of how many cases are equal, refused and different."""
    kinds = collections.Counter(seen.verdict for seen in verdicts)
    succeeding = sum(seen.verdict == "refused" and seen.succeeds for seen in verdicts)
    refused = f"refused {kinds['refused']} ({succeeding} of them succeed on Digdag)"
    return f"digdag {name}: equal {kinds['equal']}, {refused}, different {kinds['different']}"


def _plain_lines(out: str) -> list[str]:
    """Lines of standard output, tracebacks shortened as in the records."""
    out = IN_MESSAGE.sub("\tfrom Traceback <CUT>\n", out)
    out = TRACEBACK.sub(
        lambda match: f"<TRACEBACK> {match[1]}" if match[1] else "<TRACEBACK>\n", out
    )
    return out.removesuffix("\n").split("\n") if out else []
