"""How a workflow that means harm is refused: one sentence, exit code 2."""

from pathlib import Path

import pytest

from local_runner.__main__ import main

TASK = "+t:\n  echo>: x\n"


def refusal(
    folder: Path,
    workflow: str,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    *options: str,
) -> str:
    """The one sentence that refuses a workflow, in a dry run."""
    (folder / "w.dig").write_text(workflow, encoding="utf-8")
    monkeypatch.chdir(folder)
    code = main(["run", "w.dig", "--session", "2026-03-01", "--dry-run", *options])
    out, err = capfd.readouterr()
    assert (code, out, err.count("\n")) == (2, "", 1), err
    assert len(err) < 1000
    return err
