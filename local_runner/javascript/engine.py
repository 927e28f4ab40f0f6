"""The engine of templates: QuickJS with moment 2.21.0, both as a template on Digdag sees them.

Digdag makes one function of a text with `${...}`, whose parameters it finds by `with (this)`; so do
we, and the rest is the engine's. A realm is kept for each time zone; code that may change an
object gets one of its own, since on Digdag nothing outlives a text.
"""

import functools
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from local_runner.bounds import limits
from local_runner.bounds.texts import unwritable
from local_runner.javascript import sandboxed
from local_runner.javascript.names import (
    ABSENT,
    GLOBALS,
    JAVA_MEMBERS,
    KEPT,
    LEAKED,
    USED_BY_MOMENT,
)
from local_runner.javascript.syntax import Expression
from local_runner.javascript.tokens import UnsupportedError

_FOLDER = Path(__file__).parent
_REALM, _MOMENT = (_FOLDER / name for name in ("realm.js", "moment-2.21.0.min.js"))
_MINUTE = timedelta(minutes=1)
# Zones whose summer time is another one in Java's rules; Ireland's is summer time there in summer.
_UNLIKE_JAVA = frozenset({"Africa/Casablanca", "Africa/El_Aaiun", "Africa/Windhoek"})
_IRELAND = "Europe/Dublin"
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
# What each expression becomes is a function's work: of many conditions in one sum the engine takes
# the square of the time.
_BEGINNING = (
    "with(this){var __p='',__j=Array.prototype.join,"
    "__text=function(t){return t==null?'':(typeof t=='string'?t:JSON.stringify(t));},"
    "print=function(){__p+=__j.call(arguments,'');};__p+="
)
_END = ";return __p;}"
_RUNNER = """(function (Function, global) {
    global.__run = function () {
        var script = global.dukpy;
        delete global.dukpy;
        global.__params = script.params;
        try {
            return {text: new Function(script.source).call(script.params)};
        } catch (caught) {
            var error = caught || {name: "InternalError", message: "out of memory"};
            return {error: error.name + ": " + error.message, name: error.name};
        } finally {
            script.assigned.forEach(function (name) { delete global[name]; });
        }
    };
})(Function, globalThis)"""
# Errors of this engine's own bounds, and what our realm refuses.
_OURS = ("Unsupported", "InternalError")
_STACK, _NO_MEMORY = "RangeError: Maximum call stack", "InternalError: out of memory"


class ScriptError(Exception):
    """An error that JavaScript raises too, with its message."""


class LeakedNameError(ScriptError):
    """A name that no parameter has, and Digdag's own script a variable of."""


class Script(NamedTuple):
    """A text with templates as one function's source, and what it reads and assigns."""

    source: str
    names: frozenset[str]
    assigned: frozenset[str]
    changes: bool


def script(pieces: Sequence[str | Expression]) -> Script:
    """The function that makes a text of its literal pieces and expressions."""
    terms = [
        json.dumps(piece) if isinstance(piece, str) else f"__text(({piece.code}))"
        for piece in pieces
    ]
    expressions = [piece for piece in pieces if isinstance(piece, Expression)]
    return Script(
        source=_BEGINNING + "+".join(terms) + _END,
        names=frozenset[str]().union(*(expression.names for expression in expressions)),
        assigned=frozenset[str]().union(*(expression.assigned for expression in expressions)),
        changes=any(expression.changes for expression in expressions),
    )


def run(code: Script, scope: Mapping[str, object], zone: str) -> str:
    """The text that a script makes; `zone` is the name of a time zone that exists.

    Raises `ScriptError`, `UnsupportedError`.
    """
    leaked = sorted((code.names & LEAKED) - scope.keys())
    if leaked:
        raise LeakedNameError(f"{leaked[0]} is no parameter, but a variable of Digdag's own script")
    moment = "moment" in code.names
    result = sandboxed.shared.result(
        zone,
        (f"{zone} {moment}", lambda: _realm(zone, moment)),
        {
            "source": code.source,
            "params": {name: scope[name] for name in code.names if name in scope},
            "assigned": sorted(code.assigned),
        },
        keep=not code.changes,
        summer=functools.partial(_summer, zone),
    )
    if "text" in result:
        return _text(str(result["text"]))
    message = result["error"].replace(": cannot read", ": Cannot read", 1)  # as GraalJS has it
    if result["name"] in _OURS or message.startswith(_STACK):
        hint = f" ({limits.raising('template_mb')})" if message == _NO_MEMORY else ""
        raise UnsupportedError(message.removeprefix("Unsupported: ") + hint)
    raise ScriptError(message)


def _text(text: str) -> str:
    """A value that can be written and handed to a process; raises `UnsupportedError`."""
    if fault := unwritable(text):
        raise UnsupportedError(f"{fault} in its value")
    return text


def _realm(zone: str, moment: bool) -> str:
    """The source that makes the global objects of a template."""
    names = sorted(GLOBALS | USED_BY_MOMENT | {"dukpy", "__run", "__params"})
    tables = [KEPT, ABSENT, sorted(JAVA_MEMBERS), names, zone, _standard(zone) // _MINUTE]
    arguments = ",".join(["globalThis", *map(json.dumps, tables)])
    summer = "(function(call){return function(time){return call('summer',time)}})(call_python)"
    library = _source(_MOMENT) + ";" if moment else ""
    return f"{library}{_RUNNER};({_source(_REALM)})({arguments},{summer});null"


@functools.cache
def _source(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _summer(zone: str, milliseconds: float) -> int | None:
    """Minutes that clocks are ahead at a time in milliseconds; None where that is not certain."""
    try:
        ahead = _ahead(zone, _EPOCH + timedelta(milliseconds=milliseconds))
    except (OverflowError, ValueError):
        return None
    is_other = zone in _UNLIKE_JAVA or (zone == _IRELAND and milliseconds < 0)
    return None if is_other else ahead // _MINUTE


def offset_at(zone: str, time: datetime) -> timedelta:
    """How far east of UTC a time is in JavaScript.

    As Digdag's engine takes it, that is what the zone had on 1970-01-01, and summer time.
    """
    return _standard(zone) + _ahead(zone, time)


def _ahead(zone: str, time: datetime) -> timedelta:
    ahead = time.astimezone(ZoneInfo(zone)).dst() or timedelta()
    return ahead + (timedelta(hours=1) if zone == _IRELAND else timedelta())


def _standard(zone: str) -> timedelta:
    return _EPOCH.astimezone(ZoneInfo(zone)).utcoffset() or timedelta()
