"""What `make audit` says of a service's answer, and that a vulnerable version fails it."""

import json

from tests import audit

CLEAN = {"name": "numpy", "version": "2.2.6", "vulns": []}
UNKNOWN = {"name": "ours", "skip_reason": "Dependency not found"}
VULNERABLE = {
    "name": "jinja2",
    "version": "2.4.1",
    "vulns": [{"id": "PYSEC-2019-217", "fix_versions": ["2.10.1"], "aliases": ["CVE-2019-10906"]}],
}


def answer(*packages: dict[str, object]) -> str:
    return json.dumps({"dependencies": packages, "fixes": []})


def test_a_vulnerable_version_fails_and_is_named() -> None:
    lines, is_vulnerable = audit.judged("lock.txt", answer(CLEAN, VULNERABLE))
    assert is_vulnerable
    assert lines == [
        "lock.txt: 2 versions checked, 1 known vulnerabilities",
        "lock.txt: jinja2 2.4.1 has PYSEC-2019-217, mended in 2.10.1",
    ]


def test_what_the_service_does_not_know_is_named_and_no_failure() -> None:
    lines, is_vulnerable = audit.judged("lock.txt", answer(CLEAN, UNKNOWN))
    assert not is_vulnerable
    assert lines[1] == "lock.txt: NOT CHECKED, unknown to the service: ours"


def test_an_answer_that_knows_nothing_is_none() -> None:
    assert audit.answers(answer(UNKNOWN, CLEAN))
    for text in ("", "no JSON", answer(), answer(UNKNOWN)):
        assert not audit.answers(text)
    lines, is_vulnerable = audit.judged("lock.txt", None)
    assert not is_vulnerable and "NOT CHECKED" in lines[0]


def test_every_lock_file_is_looked_at() -> None:
    found = {
        path.name
        for path in audit.runs.ROOT.rglob("*requirements*.txt")
        if ".venv" not in path.parts
    }
    assert found == {name.rpartition("/")[2] for name in audit.LOCK_FILES}
