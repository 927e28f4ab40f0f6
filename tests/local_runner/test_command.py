"""The command line of the local runner: what it prints, what it refuses and how it ends."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from local_runner.__main__ import main
from local_runner.checks.operators import CHECKS
from local_runner.operators import OPERATORS

SESSION = ("--session", "2026-03-01")
STORE = "import digdag\ndef f(value):\n    digdag.env.store({'kept': value})\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, and the working folder."""
    root = tmp_path / "project"
    root.mkdir()
    monkeypatch.chdir(root)
    return root


def write(root: Path, **files: str) -> None:
    """Files by name; `__` stands for a dot, `_in_` for a folder."""
    for name, text in files.items():
        path = root / name.replace("__", ".").replace("_in_", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def run(*arguments: str) -> int:
    return main(["run", "main.dig", *SESSION, *arguments])


def progress(err: str) -> list[str]:
    return [line for line in err.splitlines() if line.startswith("+")]


def test_tasks_print_to_stdout_and_progress_goes_to_stderr(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write(
        project, main__dig="+a: {echo>: hi}\n+g:\n  +b: {py>: m.f}\n", m__py="def f(): print('py')"
    )
    assert run() == 0
    out, err = capfd.readouterr()
    assert out == "hi\npy\n"
    assert progress(err) == ["+main+a\techo>: hi", "+main+g+b\tpy>: m.f"]


def test_a_failed_run_ends_with_1_and_lists_tasks_and_messages(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write(project, main__dig="+a: {fail>: no luck}\n+b: {echo>: never}\n")
    assert run() == 1
    out, err = capfd.readouterr()
    assert out == ""
    assert err.endswith("error:\n  * +main+a:\n    no luck\nresume with --from +task\n")


@pytest.mark.parametrize(
    ("task", "message"),
    [
        ("sh>: 'echo ${secret:a}'", "workflows/tasks.dig:2: sh> needs a script, with secrets in"),
        ("embulk>: load.yml", "tasks.dig:2: the operator embulk> is not supported"),
        ("wait>: soon", "workflows/tasks.dig:2: wait> needs a time such as 10s"),
        ("sh>: ls\n  _workdir: nowhere", "tasks.dig:3: _workdir must be a folder of the project"),
        ("ecko>: x", "the operator ecko> is not supported; did you mean echo>?"),
        ("echo>: '${java.lang}'", "echo>: ${...} with the JavaScript name `java`"),
        ("echo>: '${a.matches(1)}'", "the built-in member `.matches`"),
        ("echo>: '${a => 1}'", "echo>: ${...} with `=>`"),
        ("echo>: '${moment(`x`)}'", "echo>: ${...} with ```"),
        ("echo>: '${Math.sin(1)}'", "tasks.dig:2: Failed to evaluate a variable ${Math.sin(1)}"),
        (
            "echo>: '${session_date.find()}'\n  _error: {echo>: '${error.message}'}",
            "_error uses error.message above an error of JavaScript",
        ),
        ("td>: q.sql", "workflows/tasks.dig:2: td> needs tables: give --data DIR"),
        (
            "py>: m.f\n  _env: {A: '${secret:nope}'}",
            "the secret nope is missing; give --secret nope",
        ),
        ("call>: nope.dig", "call>: File not found"),
        ("echo>: x\n  _background: 1", "workflows/tasks.dig:3: _background must be true or false"),
        (
            "_parallel: true\n  +x: {echo>: x, _background: true}",
            "workflows/tasks.dig:3: _background is for tasks of a group without _parallel",
        ),
        ("echo>: x\n  _retry: often", "_retry must be a number"),
        ("+x: {}\n  oops: 1", "workflows/tasks.dig:3: invalid key 'oops'"),
    ],
    ids=lambda value: str(value).split("\n")[0][:30],
)
def test_what_is_not_known_is_refused_by_place_before_any_task(
    task: str, message: str, project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write(project, main__dig="+first: {echo>: ran}\n!include : workflows/tasks.dig\n")
    write(project, workflows_in_tasks__dig=f"+t:\n  {task}\n")
    assert run() == 2
    out, err = capfd.readouterr()
    assert (out, progress(err)) == ("", [])
    assert message in err


def test_every_operator_has_a_check() -> None:
    assert CHECKS.keys() == OPERATORS.keys()


def test_a_broken_file_beside_the_workflow_fails_the_run_as_on_digdag(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write(project, main__dig="+a: {echo>: hi}\n", other__dig="foo: 1\n")
    assert run() == 2
    assert "other.dig:1: unknown top-level key 'foo'" in capfd.readouterr().err


def test_an_unsupported_operator_in_another_workflow_does_no_harm(project: Path) -> None:
    write(project, main__dig="+a: {echo>: hi}\n", other__dig="+m: {embulk>: load.yml}\n")
    assert run() == 0


def test_set_overrides_a_parameter_as_if_it_stood_in_the_file(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write(project, main__dig="_export:\n  !include : p.yml\n+a: {echo>: '${n + 1} ${rate}'}\n")
    write(project, p__yml="n: 1\nrate: 2.5\n")
    assert run("--set", "n=41", "--set", "rate=0.5") == 0
    assert capfd.readouterr().out == "42 0.5\n"


def test_set_of_an_unknown_parameter_proposes_the_nearest(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write(project, main__dig="_export: {lookback_window_days: 3}\n+a: {echo>: x}\n")
    assert run("--set", "lookback_days=7") == 2
    assert "--set lookback_days: no exported parameter of that name; did you mean " in (
        err := capfd.readouterr().err
    )
    assert "lookback_window_days?" in err


def test_p_fills_only_what_nothing_exports(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write(project, main__dig="_export: {a: exported}\n+a: {echo>: '${a} ${b}'}\n")
    assert run("-p", "a=given", "-p", "b=given") == 0
    assert capfd.readouterr().out == "exported given\n"


def test_one_group_alone_runs_with_the_exports_around_it(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write(project, main__dig="_export: {e: 1}\n+a: {echo>: a}\n+g:\n  +x: {echo>: 'x${e}'}\n")
    assert run("+g") == 0
    assert capfd.readouterr().out == "x1\n"


def test_a_task_that_is_not_there_is_an_error_with_the_nearest_name(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write(project, main__dig="+load: {echo>: a}\n")
    assert run() == 0
    assert run("--from", "+laod") == 2
    assert "there is no task +laod in main.dig; did you mean +load?" in capfd.readouterr().err


def test_from_resumes_with_what_earlier_tasks_stored_and_the_same_session(
    project: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    tables = ("--data", str(tmp_path), "--out", str(tmp_path / "out"))
    dig = "+a: {py>: s.f, value: 7}\n+g:\n  +b: {%s}\n  +c: {echo>: '${kept} ${session_date}'}\n"
    write(project, main__dig=dig % "fail>: broken", s__py=STORE)
    assert run(*tables) == 1
    write(project, main__dig=dig % "echo>: mended")
    capfd.readouterr()
    assert main(["run", "main.dig", *tables, "--from", "+g+b"]) == 0
    out, err = capfd.readouterr()
    assert out == "mended\n7 2026-03-01\n"
    assert progress(err)[0] == "+main+g+b\techo>: mended"


def test_a_run_without_tables_is_resumed_too_and_none_that_was_not_kept(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write(project, main__dig="+a: {py>: s.f, value: 7}\n+b: {echo>: '${kept} ${session_date}'}\n")
    write(project, s__py=STORE)
    resumed = ["run", "main.dig", "--from", "+b"]
    assert main(resumed) == 2
    err = capfd.readouterr().err
    assert "--from: no run of main.dig is kept in out/.local_runner.json" in err
    assert run("+a") == 0  # a part of the workflow, which is not kept
    assert main(resumed) == 2
    assert run() == 0
    capfd.readouterr()
    assert main(resumed) == 0
    assert capfd.readouterr().out == "7 2026-03-01\n"


def test_a_dry_run_prints_the_filled_sql_and_runs_nothing(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    query = "+q:\n  if>: true\n  _do: {td>: q.sql, create_table: made}\n"
    write(project, main__dig="_export: {n: 3}\n+a: {echo>: silent}\n" + query)
    write(project, q__sql="select ${n + 1} as n\n")
    assert run("--dry-run") == 0
    out, err = capfd.readouterr()
    assert out == "-- +main+q^sub: create_table made\nselect 4 as n\n\n"
    assert progress(err) == ["+main+a\techo>: silent", "+main+q\tif>: true"]
    assert not (project / "out").exists()


def test_td_tasks_make_and_drop_tables_of_the_out_folder(project: Path, tmp_path: Path) -> None:
    (tmp_path / "clicks.csv").write_text("user,n\nada,2\nbob,3\n", encoding="utf-8")
    write(
        project,
        main__dig=(
            "+make: {td>: q.sql, create_table: total, database: db}\n"
            "+more: {td>: {data: 'select 100 as n'}, insert_into: total}\n"
            "+passing: {td>: q.sql, create_table: passing}\n"
            "+ddl: {td_ddl>: , drop_tables: [passing], rename_tables: [{from: total, to: final}]}\n"
        ),
        q__sql="select sum(n) as n from clicks",
    )
    assert run("--data", str(tmp_path), "--out", str(tmp_path / "made")) == 0
    assert [path.name for path in (tmp_path / "made").glob("[!.]*")] == ["final.csv"]
    assert (tmp_path / "made" / "final.csv").read_text(encoding="utf-8") == "n\n5\n100\n"


def test_a_query_that_cannot_run_here_is_refused_before_the_first_task(
    project: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "clicks.csv").write_text("n\n2\n", encoding="utf-8")
    write(
        project,
        main__dig="+a: {echo>: hi}\n+b: {td>: one.sql, create_table: one}\n+c: {td>: two.sql}\n",
        one__sql="select cast(n as varchar) as word from clicks",
        two__sql="select word + 1 as n from one",
    )
    assert run("--data", str(tmp_path)) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert "main.dig:3: two.sql: not supported on local tables" in err


def test_a_template_in_sql_that_comes_to_something_unknown_is_refused_before_any_task(
    project: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    query = "select '${moment(session_date + ' at noon')}'\n"
    write(project, main__dig="+a: {echo>: hi}\n+b: {td>: q.sql}\n", q__sql=query)
    assert run("--data", str(tmp_path)) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert "main.dig:2: Failed to evaluate a variable select" in err
    assert "the date '2026-03-01 at noon', which is not of the form YYYY-MM-DD" in err


def test_a_template_in_sql_is_refused_with_the_line_of_the_sql_file(
    project: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write(project, main__dig="+b: {td>: q.sql}\n", q__sql="select\n\n  ${new Map()}\n")
    assert run("--data", str(tmp_path)) == 2
    assert "q.sql:3: ${...} with `new Map` is not supported" in capfd.readouterr().err


def test_py_tasks_learn_where_tables_are_and_get_secrets(
    project: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write(project, main__dig="+a:\n  py>: m.f\n  _env: {KEY: 'x${secret:k}'}\n")
    write(
        project,
        m__py="import os\ndef f(): print([os.environ[k] for k in "
        "('MTA_WAREHOUSE', 'MTA_DATA', 'MTA_OUT', 'KEY')])\n",
    )
    assert run("--data", str(tmp_path), "--out", "o", "--secret", "k=s") == 0
    there = ["local", str(tmp_path), str(project / "o"), "xs"]
    assert capfd.readouterr().out == f"{there}\n"


def test_treasure_datas_own_key_is_not_asked_for_on_local_tables(
    project: Path, tmp_path: Path
) -> None:
    write(project, main__dig="+a:\n  py>: m.f\n  _env: {K: '${secret:td.apikey}'}\n")
    write(project, m__py="def f(): pass\n")
    assert run("--data", str(tmp_path)) == 0
    assert run() == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--warehouse", "td", "--data", "."), "--data means local tables"),
        (("--data", "nowhere"), "--data nowhere: no such folder"),
        (("--session", "yesterday"), "--session must be yyyy-MM-dd"),
        (("-p", "novalue"), "must be key=value"),
        (("--frm", "+a"), "unrecognized arguments"),
    ],
    ids=lambda value: "" if isinstance(value, str) else " ".join(value),
)
def test_wrong_words_on_the_command_line_end_with_2(
    arguments: tuple[str, ...], message: str, project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write(project, main__dig="+a: {echo>: hi}\n")
    try:
        code: object = main(["run", "main.dig", *arguments])
    except SystemExit as error:
        code = error.code
    assert code == 2
    assert message in capfd.readouterr().err


def test_a_workflow_of_another_folder_runs_there(
    project: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(project, main__dig="+a: {py>: m.f}\n", m__py="import os\ndef f(): print(os.getcwd())\n")
    write(project.parent, stray__dig="+a: {echo>: 'of no project'}\n")
    monkeypatch.chdir(project.parent)
    assert main(["run", str(project / "main.dig")]) == 0
    assert capfd.readouterr().out == f"{project}\n"
    assert main(["run", "project/main.dig"]) == 2
    assert "cd project first" in capfd.readouterr().err


def test_a_schedule_is_shown_and_not_waited_for(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write(project, main__dig="schedule: {daily>: 07:00:00}\n+a: {echo>: '${next_session_date}'}\n")
    assert run() == 0
    out, err = capfd.readouterr()
    assert out == "2026-03-02\n"
    assert "schedule daily>: 07:00:00 (not waited for)" in err


def test_the_module_runs_from_a_shell_and_answers_queries(project: Path) -> None:
    command = [sys.executable, "-m", "local_runner", "sql", "select 1 as n"]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["rows"] == [[1]]


@pytest.mark.parametrize(
    "broken",
    [
        "+a: {echo>: x, sh>: echo y}",
        "+a:\n  echo>: x\n  +b: {echo>: y}",
        "+g:\n  +a: {echo>: x}\n  +b: {echo>: y, _after: [+a]}",
        "+g:\n  _parallel: true\n  +a: {echo>: x, _background: true}",
        "+g:\n  _parallel: true\n  +a: {echo>: x, _after: [+later]}",
        "+g:\n  _parallel: 2\n  +a: {echo>: x}",
        "+g:\n  _disable: false\n  +a: {echo>: x}",
        "+g:\n  oops: 1\n  +a: {echo>: x}",
        "_error: {echo>: x, sh>: echo y}\n+a: {echo>: x}",
        "+a:\n  echo>: x\n  _error:\n    +b: {echo>: x, sh>: y}",
        "_error: text\n+a: {echo>: x}",
    ],
    ids=lambda text: text.replace("\n", ";")[:40],
)
def test_what_digdags_compiler_rejects_anywhere_in_the_folder_is_refused(
    broken: str, project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write(project, main__dig="+a: {echo>: hi}\n", other__dig=broken)
    assert run() == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert "error: other.dig:" in err
    write(project, other__dig="+off:\n  _disable: true\n  " + broken.replace("\n", "\n  ") + "\n")
    assert run() == 0  # what is disabled is not compiled


def test_a_query_and_an_environment_may_hold_what_only_the_run_knows(
    project: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write(
        project,
        main__dig=(
            "+s: {py>: s.f, value: 41}\n"
            "+q: {td>: , query: 'select ${kept} + 1 as n', store_last_results: true}\n"
            "+e:\n  sh>: echo $N\n  _env: {N: 'n=${td.last_results.n}'}\n"
            "+d: {td_ddl>: , drop_tables: '[\"t${kept}x\"]'}\n"
        ),
        s__py=STORE,
    )
    assert run("--data", str(tmp_path)) == 0
    assert capfd.readouterr().out == "n=42\n"
