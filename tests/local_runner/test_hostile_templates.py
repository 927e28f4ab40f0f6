"""Templates that mean harm, or were made by a fuzzer: each ends with one sentence, exit code 2.

A case's name is that of the attack that it was found by.
"""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from local_runner.bounds import limits
from local_runner.javascript import sandbox
from local_runner.javascript.sandboxed import LimitError, Sandbox
from local_runner.workflow import templates
from local_runner.workflow.templates import TemplateError, UnknownTemplateError
from tests.local_runner.refusals import refusal

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


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_that_means_harm_is_refused_with_a_sentence(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    code, sentence = TEMPLATES[name]
    workflow = f'+t:\n  echo>: "${{{code}}}"\n'
    said = refusal(tmp_path, workflow, capfd, monkeypatch, "--limit", "template_seconds=1")
    assert sentence in said
    assert said.startswith("error: w.dig:2: ")


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
