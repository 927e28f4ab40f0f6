"""Templates beside GraalJS 19.3.1, the engine of Digdag 0.10.5.1, run with Digdag's own options.

The first line of the file holds the parameters; each other one a zone, what stands in `${...}`, and
the text or the error that it came to there. Ours is equal or refused.
"""

import collections
import json
from pathlib import Path

from local_runner.workflow import templates
from local_runner.workflow.templates import TemplateError, UnknownTemplateError
from local_runner.workflow.yaml_types import Value

FILE = Path(__file__).parents[1] / "conformance" / "digdag" / "templates.jsonl"


def _verdict(recorded: dict[str, str], parameters: dict[str, Value]) -> str:
    text = f"${{{recorded['code']}}}"
    try:
        seen = templates.fill(text, parameters, zone=recorded["zone"])
    except UnknownTemplateError:
        return "refused"
    except TemplateError as error:
        words = recorded.get("error", "")
        same = "error" in recorded and (not error.same_message or f"({words})" in str(error))
        return "equal" if same else f"{text} fails: {error}"
    return "equal" if recorded.get("text") == seen else f"{text} is {seen!r}, not {recorded}"


def test_every_template_is_equal_or_refused() -> None:
    lines = FILE.read_text(encoding="utf-8").split("\n")
    first, *recorded = [json.loads(line) for line in lines if line]
    verdicts = [_verdict(one, first["parameters"]) for one in recorded]
    assert not [verdict for verdict in verdicts if verdict not in ("equal", "refused")]
    assert collections.Counter(verdicts)["refused"] < len(recorded) // 20
