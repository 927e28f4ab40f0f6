"""Workflows that mean harm, or were made by a fuzzer: each ends with one sentence, exit code 2.

A case's name is that of the attack that it was found by.
"""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from local_runner.__main__ import main
from local_runner.bounds import limits
from local_runner.javascript import sandbox
from local_runner.javascript.sandboxed import LimitError, Sandbox
from local_runner.workflow import templates, yaml_types
from local_runner.workflow.tasks import with_export
from local_runner.workflow.templates import TemplateError, UnknownTemplateError

CONSTRUCTOR = "(function(k){return [][k][k]('%s')()})(['constr','uctor'].join(''))"
NO_CONSTRUCTOR = "the built-in member .constructor"
TOO_DEEP = "nested more than 60 deep (raise it with --limit nesting=NUMBER)"
TOO_LONG = "takes longer than 1 s (raise it with --limit template_seconds=NUMBER)"
# What stands in the template of an echo>, and what is said of it.
TEMPLATES = {
    "dig_js_arrbig": ("Array(4294967295).join('x').length", TOO_LONG),
    "dig_js_deep_arr": ("[" * 3000 + "]" * 3000, TOO_DEEP),
    "dig_js_deep_fn": ("(function(){return " * 800 + "1" + "})()" * 800, TOO_DEEP),
    "dig_js_deep_paren": ("(" * 3000 + "1" + ")" * 3000, TOO_DEEP),
    "dig_js_exp_rec": (
        "(function(f){return f(f,60)})(function(f,n){return n<2?1:f(f,n-1)+f(f,n-2)})",
        TOO_LONG,
    ),
    "dig_js_reduceloop": (
        "new Array(99999999).join('a').split('').map(function(x){return x}).length",
        "--limit template_",  # the time or the memory
    ),
    "dig_js_regex_dos": ("'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab'.match(/(a+)+$/)", TOO_LONG),
    "dig_jsx_while": (CONSTRUCTOR % "while(true){}", NO_CONSTRUCTOR),
    "js_reads_files": (
        CONSTRUCTOR % 'return call_python(\\"dukpy.load_module\\",\\"/etc/passwd\\")',
        NO_CONSTRUCTOR,
    ),
    "js_reads_files_by_import": (CONSTRUCTOR % 'import(\\"/etc/passwd\\")', NO_CONSTRUCTOR),
    "js_deep_stack": (
        "(function(f){return f(f)})(function(f){return f(f)+1})",
        "Maximum call stack size exceeded",
    ),
    "js_makes_nul": ("String.fromCharCode(0)", "the character U+0000"),
    "js_chain_of_marks": ("1" + "?1:1" * 3000, TOO_DEEP),
}


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


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_that_means_harm_is_refused_with_a_sentence(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    code, sentence = TEMPLATES[name]
    workflow = f'+t:\n  echo>: "${{{code}}}"\n'
    said = refusal(tmp_path, workflow, capfd, monkeypatch, "--limit", "template_seconds=1")
    assert sentence in said
    assert said.startswith("error: w.dig:2: ")


ALIASES = "_export:\n  a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"  a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9)
)
TASK = "+t:\n  echo>: x\n"
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
    body = yaml_types.load("_do: {echo>: x, a: " + str(["x"] * 50_000) + "}", "w.dig")
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


def test_many_templates_in_a_text_take_time_in_proportion() -> None:  # dig_many_tpl
    start = time.monotonic()
    assert templates.fill("${1}" * 20000, {}) == "1" * 20000
    assert time.monotonic() - start < 5  # 0.2 s; the square of it was more than a minute


def test_a_template_may_not_take_the_memory_of_the_machine() -> None:
    few = limits.Limits(template_mb=128, template_seconds=60)
    with limits.using(few), pytest.raises(UnknownTemplateError, match="--limit template_mb"):
        templates.fill("${new Array(20000000).join('ab').split('a').length}", {})
    assert templates.fill("${1 + 1}", {}) == "2"  # by a new process


def test_the_process_of_templates_reads_no_file_and_calls_no_python() -> None:
    """Whatever a script gets hold of: here it is given all that the engine has."""
    asked = Sandbox()
    realm = "globalThis.__run = function () { return (0, eval)(dukpy); }; null"

    def result(code: str) -> object:
        return asked.result(
            "UTC", ("bare", lambda: realm), code, keep=True, summer=lambda time: round(time) + 1
        )

    assert result("call_python('summer', 41)") == 42
    for name in ("dukpy.load_module", "open", "__class__", "_ctx"):
        code = f"try {{ call_python('{name}', '/etc/passwd') }} catch (e) {{ e.message }}"
        assert result(code) == f"No Python Function named {name}"
    assert result("typeof require + typeof process + typeof console") == "undefined" * 3
    result("var said; import('/etc/passwd').then(String, String).then(function (s) { said = s })")
    assert "Failed to normalize module" in str(result("said"))
    asked.close()


def test_a_script_that_never_ends_is_ended() -> None:
    asked = Sandbox()
    realm = "globalThis.__run = function () { while (true) {} }; null"
    with limits.using(limits.Limits(template_seconds=1)), pytest.raises(LimitError, match="1 s"):
        asked.result("UTC", ("bare", lambda: realm), 0, keep=True, summer=lambda time: None)
    asked.close()


def test_nothing_can_be_opened_once_the_sandbox_is_closed() -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(Path(sandbox.__file__).parent)!r})\n"
        "import sandbox, socket\n"
        "sandbox.close_down(256)\n"
        "for attempt in (lambda: open('/etc/passwd'), socket.socket, lambda: bytearray(1 << 29)):\n"
        "    try: attempt()\n"
        "    except (OSError, MemoryError) as error: print(type(error).__name__)\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["OSError", "OSError", "MemoryError"]


def test_no_locale_of_moment_comes_from_a_file() -> None:  # CVE-2022-24785
    code = "moment.locale('../../../../etc/passwd') + moment.locale('fr') + moment.locales().join()"
    assert templates.fill(f"${{{code}}}", {}) == "enenen"


def test_a_long_date_of_moment_ends() -> None:  # CVE-2022-31129
    code = "${moment(new Array(200000).join('(')).isValid()}"
    with limits.using(limits.Limits(template_seconds=2)), pytest.raises(TemplateError):
        templates.fill(code, {})
