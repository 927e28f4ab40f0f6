"""The engine of templates: QuickJS with moment 2.21.0, both as a template on Digdag sees them.

Digdag makes one function of a text with `${...}`, whose parameters it finds by `with (this)`; so do
we, and the rest is the engine's. A realm is kept for each time zone; code that may change an
object gets one of its own, since on Digdag nothing outlives a text.
"""

import functools
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

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

if TYPE_CHECKING:  # the engine takes a while to load, and many texts hold no template
    from dukpy import JSInterpreter

_FOLDER = Path(__file__).parent
_REALM, _MOMENT = (_FOLDER / name for name in ("realm.js", "moment-2.21.0.min.js"))
_MINUTE = timedelta(minutes=1)
# Zones whose summer time is another one in Java's rules; Ireland's is summer time there in summer.
_UNLIKE_JAVA = frozenset({"Africa/Casablanca", "Africa/El_Aaiun", "Africa/Windhoek"})
_IRELAND = "Europe/Dublin"
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_BEGINNING = (
    "with(this){var __t,__p='',__j=Array.prototype.join,"
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
        } catch (error) {
            return {error: error.name + ": " + error.message, name: error.name};
        } finally {
            script.assigned.forEach(function (name) { delete global[name]; });
        }
    };
})(Function, globalThis)"""
_kept = threading.local()


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
        json.dumps(piece)
        if isinstance(piece, str)
        else f"((__t=({piece.code}))==null?'':(typeof __t=='string'?__t:JSON.stringify(__t)))"
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
    params = {name: scope[name] for name in code.names if name in scope}
    engine = (_realm if code.changes else _kept_realm)(zone, "moment" in code.names)
    try:
        result = engine.evaljs(
            "__run()", source=code.source, params=params, assigned=sorted(code.assigned)
        )
        text = str(result.get("text", ""))
        text.encode("utf-8")  # half of a surrogate pair cannot be encoded
    except UnicodeError:
        raise UnsupportedError("half a character as its value") from None
    if "text" in result:
        return text
    message = result["error"].replace(": cannot read", ": Cannot read", 1)  # as GraalJS has it
    if result["name"] == "Unsupported":
        raise UnsupportedError(message.removeprefix("Unsupported: "))
    raise ScriptError(message)


def _kept_realm(zone: str, moment: bool) -> "JSInterpreter":
    """One for each thread: the engine belongs to the thread that made it."""
    realms = _kept.__dict__.setdefault("realms", {})
    if (zone, moment) not in realms:
        realms[zone, moment] = _realm(zone, moment)
    return realms[zone, moment]


def _realm(zone: str, moment: bool) -> "JSInterpreter":
    from dukpy import JSInterpreter

    engine = JSInterpreter()
    engine.export_function("summer", _summer_at(zone))
    if moment:
        engine.evaljs(_source(_MOMENT) + ";null")
    names = sorted(GLOBALS | USED_BY_MOMENT | {"dukpy", "__run", "__params"})
    tables = [KEPT, ABSENT, sorted(JAVA_MEMBERS), names, zone, _standard(zone) // _MINUTE]
    arguments = ",".join(["globalThis", *map(json.dumps, tables)])
    summer = "(function(call){return function(time){return call('summer',time)}})(call_python)"
    engine.evaljs(f"{_RUNNER};({_source(_REALM)})({arguments},{summer});null")
    return engine


@functools.cache
def _source(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _summer_at(zone: str) -> Callable[[float], int | None]:
    """Minutes that clocks are ahead at a time in milliseconds; None where that is not certain."""

    def summer(milliseconds: float) -> int | None:
        try:
            ahead = _ahead(zone, _EPOCH + timedelta(milliseconds=milliseconds))
        except OverflowError:
            return None
        is_other = zone in _UNLIKE_JAVA or (zone == _IRELAND and milliseconds < 0)
        return None if is_other else ahead // _MINUTE

    return summer


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
