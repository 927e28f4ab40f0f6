"""Files and folders that mean harm, or were made by a fuzzer: each ends with one sentence.

A case's name is that of the attack that it was found by.
"""

import os
import time
from pathlib import Path

import pytest

from local_runner import resume
from local_runner.__main__ import main
from local_runner.workflow import yaml_types
from local_runner.workflow.tasks import with_export
from tests.local_runner.refusals import TASK, refusal

ALIASES = "_export:\n  a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"  a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9)
)
TOO_DEEP_YAML = "values nested more than 60 deep, or an alias within itself (raise it with"
FILES = {
    "dig_bomb": (ALIASES + TASK, "more than 100000 values, aliases and includes counted (raise it"),
    "dig_recursive": ("_export:\n  a: &a [*a]\n" + TASK, TOO_DEEP_YAML),
    "dig_recursive_map": ("_export:\n  a: &a {b: *a}\n" + TASK, TOO_DEEP_YAML),
    "dig_deep_flow": ("_export:\n  a: " + "[" * 3000 + "]" * 3000 + "\n" + TASK, TOO_DEEP_YAML),
    "dig_deep_tasks": (
        "".join(f"{'  ' * n}+t{n}:\n" for n in range(400)) + "  " * 400 + "echo>: x\n",
        TOO_DEEP_YAML,
    ),
    "dig_sh_nul": ('+t:\n  sh>: "echo \\0"\n', "a text with the character U+0000"),
    "dig_surr": ('+t:\n  echo>: "\\ud800"\n', "a text with half a character"),
    "dig_surr_in_a_key": ('+t:\n  echo>: x\n  "\\udfff": 1\n', "a text with half a character"),
    "dig_nul_in_a_name": ('"+t\\0":\n  echo>: x\n', "a text with the character U+0000"),
    "dig_large_file": ("# " + "x" * (3 << 20) + "\n" + TASK, "more than 3 MB (raise it with"),
    "dig_integer": ("_export:\n  a: 0x" + "f" * 20_000 + "\n" + TASK, "an integer of more than"),
    "dig_decimal_integer": ("_export:\n  a: " + "9" * 20_000 + "\n" + TASK, "an integer of more"),
    "dig_task_of_a_loop": (
        "+t:\n  loop>: 2\n  _do:\n    +u: x\n",
        "task +u must be a mapping, got 'x'",
    ),
    "dig_retry_of_no_int": (
        f"+t:\n  _retry: {10**12}\n  fail>: x\n",
        "_retry must be a number of retries, or a mapping of limit with interval",
    ),
    "dig_retry_of_digits": (
        f"+t:\n  _retry: {{limit: 2, interval: '{'9' * 200}'}}\n  +u: {{echo>: x}}\n",
        "_retry must be a number of retries, or a mapping of limit with interval",
    ),
    "dig_includes_itself": ("!include : 'w.dig'\n" + TASK, "goes in a circle"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_means_harm_is_refused_with_a_sentence(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    workflow, sentence = FILES[name]
    said = refusal(tmp_path, workflow, capfd, monkeypatch)
    assert sentence in said
    assert said.startswith("error: w.dig:")


HUNDRED = str(list(range(100)))
LOOPS = {
    "dig_for_each": (
        "for_each>:\n" + "".join(f"    k{n}: {HUNDRED}\n" for n in range(6)),
        "Too many for_each subtasks. Limit: 1000",
    ),
    "dig_for_range": (
        "for_range>: {from: 0, to: 1000000000000, step: 1}\n",
        "Too many for_range subtasks (1000000000000). Limit: 1000",
    ),
    "dig_for_slices": (
        "for_range>: {from: 0, to: 1000000000000, slices: 1000000000}\n",
        "Too many for_range subtasks (1000000000). Limit: 1000",
    ),
    "dig_loop_1e6": ("loop>: 1000000\n", "Too many loop subtasks. Limit: 1000"),
    "dig_loop_1e12": ("loop>: 1000000000000\n", "Expected integer (int) type"),
}


@pytest.mark.parametrize("name", LOOPS)
def test_a_loop_of_too_many_turns_is_not_expanded(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    loop, sentence = LOOPS[name]
    (tmp_path / "w.dig").write_text(f"+t:\n  {loop}  _do:\n    echo>: x\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    start = time.monotonic()
    assert main(["run", "w.dig", "--dry-run"]) == 0
    assert sentence in capfd.readouterr().out
    assert main(["run", "w.dig"]) == 1  # as on Digdag
    assert sentence in capfd.readouterr().err
    assert time.monotonic() - start < 5


def test_loops_within_loops_are_counted_before_anything_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    turns = "".join(f"{'  ' * n}loop>: 1000\n{'  ' * n}_do:\n" for n in range(1, 20))
    said = refusal(tmp_path, f"+t:\n{turns}{'  ' * 20}echo>: x\n", capfd, monkeypatch)
    assert "workflows of more than 900 tasks are not supported" in said


def test_turns_share_what_they_repeat() -> None:
    body = yaml_types.load("_do: {echo>: x, a: " + str(["x"] * 5_000) + "}", "w.dig")
    assert isinstance(body, dict)
    do = body["_do"]
    assert isinstance(do, yaml_types.Located)
    turns = [with_export(do, {"i": number}) for number in range(1000)]
    assert all(turn["a"] is do["a"] for turn in turns)
    assert [turn["_export"] for turn in turns[:2]] == [{"i": 0}, {"i": 1}]
    assert "_export" not in do


def test_a_dry_run_does_not_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "w.dig").write_text("+t:\n  wait>: 100000d\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    start = time.monotonic()
    assert main(["run", "w.dig", "--dry-run"]) == 0
    assert time.monotonic() - start < 5
    assert "nothing was executed" in capfd.readouterr().err


def test_a_text_may_be_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:  # dig_huge_str
    (tmp_path / "w.dig").write_text("+t:\n  echo>: " + "x" * 100_000 + "\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert main(["run", "w.dig"]) == 0
    assert capfd.readouterr().out == "x" * 100_000 + "\n"


def test_a_limit_can_be_raised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    nested = "_export:\n  a: " + "[" * 90 + "]" * 90 + "\n+t:\n  echo>: ${" + "(" * 90 + "1"
    (tmp_path / "w.dig").write_text(nested + ")" * 90 + "}\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert main(["run", "w.dig"]) == 2
    assert main(["run", "w.dig", "--limit", "nesting=100"]) == 0
    assert capfd.readouterr().out == "1\n"
    for wrong in ("nesting=0", "nesting=many", "nestin=5", "nesting=99999999999"):
        assert main(["run", "w.dig", "--limit", wrong]) == 2


def test_includes_that_double_come_to_an_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "part").mkdir()
    for number in range(40):
        twice = "".join(f"!include : 'b{number + 1}.dig'\n{space}" for space in ("", "\n"))
        last = number == 39
        (tmp_path / "part" / f"b{number}.dig").write_text("a: 1\n" if last else twice, "utf-8")
    workflow = f"_export:\n  !include : 'part/b0.dig'\n{TASK}"
    said = refusal(tmp_path, workflow, capfd, monkeypatch)
    assert "more than 1000 included files (raise it with --limit includes=NUMBER)" in said


@pytest.mark.parametrize("reach", ["include", "query", "workflow", "query_by_path"])
def test_files_outside_of_the_project_need_a_flag(
    reach: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    project, outside = tmp_path / "project", tmp_path / "outside"
    project.mkdir()
    outside.mkdir()
    (outside / "secret.sql").write_text("select 1", encoding="utf-8")
    (outside / "secret.dig").write_text("_export:\n  a: 1\n" + TASK, encoding="utf-8")
    link = {"include": "inc/l.dig", "workflow": "l.dig"}.get(reach, "l.sql")
    (project / "inc").mkdir()
    (project / link).symlink_to(outside / f"secret{Path(link).suffix}")
    workflow = {
        "include": "!include : 'inc/l.dig'\n",
        "query": "+t:\n  td>: l.sql\n",
        "workflow": TASK,
        "query_by_path": "+t:\n  td>: ../outside/secret.sql\n",
    }[reach]
    said = refusal(project, workflow, capfd, monkeypatch)
    assert "is outside of the project folder" in said
    assert "give --allow-outside" in said
    assert main(["run", "w.dig", "--dry-run", "--allow-outside"]) == 0


@pytest.mark.parametrize("pipe", ["other.dig", "query.sql"])
def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(
    pipe: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    os.mkfifo(tmp_path / pipe)
    said = refusal(tmp_path, "+t:\n  td>: query.sql\n  database: d\n", capfd, monkeypatch)
    assert f"{pipe} is neither a file nor a folder: it might have no end" in said


FOLDERS = {
    "out_is_a_file": (("--data", "data", "--out", "file"), "is no folder"),
    "out_below_a_file": (("--data", "data", "--out", "file/below"), "is no folder"),
    "out_may_not_be_written": (("--data", "data", "--out", "locked"), "cannot be written to"),
    "out_below_may_not": (("--data", "data", "--out", "locked/x/y"), "cannot be written to"),
    "data_may_not_be_read": (("--data", "locked"), "cannot be read: permission denied"),
    "data_is_a_file": (("--data", "file"), "no such folder"),
    "params_are_a_folder": (("-P", "data.yml"), "cannot be read: Is a directory"),
}


@pytest.mark.parametrize("name", FOLDERS)
def test_folders_that_are_of_no_use_are_named_before_anything_runs(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    options, sentence = FOLDERS[name]
    for folder in ("data", "locked", "data.yml"):
        (tmp_path / folder).mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "w.dig").write_text(TASK, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    allowed = os.access

    def access(path: Path, mode: int) -> bool:  # for root everything is allowed
        return path.name != "locked" and allowed(path, mode)

    monkeypatch.setattr(os, "access", access)
    assert main(["run", "w.dig", *options]) == 2
    out, err = capfd.readouterr()
    assert (out, err.count("\n"), sentence in err) == ("", 1, True), err


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"workflow": "+w"}',
        b'{"workflow": "+w", "session": 5, "stored": {}}',
        b'{"workflow": "+w", "session": "2026-03-01", "stored": {"+w+t": 5}}',
        b'{"workflow": "+w", "session": "tomorrow", "stored": {}}',
    ],
)
def test_a_broken_record_of_a_run_is_a_sentence(
    content: bytes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "w.dig").write_text(TASK, encoding="utf-8")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / resume.FILE).write_bytes(content)
    monkeypatch.chdir(tmp_path)
    assert main(["run", "w.dig", "--from", "+t"]) == 2
    out, err = capfd.readouterr()
    assert (out, err.count("\n")) == ("", 1), err


def test_a_key_with_a_line_break_is_refused_and_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TD_API_KEY", "1/secret\nX-Injected: yes")
    workflow = "+t:\n  td>:\n  query: select 1\n  database: mta\n"
    said = refusal(tmp_path, workflow, capfd, monkeypatch, "--warehouse", "td")
    assert "copy the key again" in said
    assert "secret\n" not in said and "1/secret" not in said


def test_a_text_of_the_command_line_that_is_none_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "w.dig").write_text(TASK, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for option in ("-p", "--set", "--secret"):
        with pytest.raises(SystemExit, match="2"):
            main(["run", "w.dig", option, "a=\udcff"])
        assert "got one with half a character" in capfd.readouterr().err


def test_half_a_character_that_a_task_stores_fails_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "w.dig").write_text("+t: {py>: s.f}\n+u: {sh>: 'echo ${a}'}\n", encoding="utf-8")
    module = "import digdag\ndef f():\n    digdag.env.store(a=chr(0xd800))\n"
    (tmp_path / "s.py").write_text(module, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert main(["run", "w.dig"]) == 1
    assert "what the task stored has a text with half a character" in capfd.readouterr().err
