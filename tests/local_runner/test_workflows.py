"""The workflows of workflows.yml: what each prints, how it ends, and what is said."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from local_runner.__main__ import main

CASES: dict[str, dict[str, Any]] = yaml.safe_load(
    Path(__file__).with_name("workflows.yml").read_text(encoding="utf-8")
)
# Tasks of the workflows store values of all kinds, and show what they were given.
MODULE = """\
import digdag

def f(value, key='kept'):
    digdag.env.store({key: value})

def g(**kw):
    print(kw.get('v'))

def many():
    digdag.env.store({
        'l': ['Paid Search', 'a*b', '日本 語'], 'obj': [{'k': 'x y', 'n': 1.0}], 'm': {'a': 1},
        'e': [], 'zero': 0, 'one': 1, 'neg': -3, 'f': 2.0, 'big': 3000000000, 'nul': None,
        'two': ' 2', 'txt': 'yes', 'T': 'True',
    })
"""


@pytest.mark.parametrize("name", CASES)
def test_a_workflow_ends_as_on_digdag(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    case = CASES[name]
    for file, text in {"main.dig": case["main"], "s.py": MODULE, **case.get("files", {})}.items():
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    code = main(["run", "main.dig", "--session", "2026-03-01"])
    out, err = capfd.readouterr()
    err = err.replace(str(tmp_path), "<PROJECT>")
    assert (code, out) == (case["code"], case["out"])
    assert [part for part in case.get("err", ()) if part not in err] == []
    assert [task for task in case.get("tasks", ()) if f"{task}\t" not in err] == []
