"""Who may import whom: the picture in td_mta/README.md, kept by reading the sources.

Nothing is imported but in the last tests; `if TYPE_CHECKING` and imports inside functions count
like any other, since a layer that needs another one later still needs it.
"""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = sorted(
    path
    for package in ("td_mta", "local_runner", "td_emulator")
    for path in ROOT.glob(f"{package}/**/*.py")
)

BASE = {"td_mta.errors", "td_mta.tables"}
CORE = {"journeys", "shapley", "baselines", "metrics", "simulate"}
CORE_LIBRARIES = {"numpy", "scipy"}
HEAVY = {
    "tensorflow": {"td_mta.tfrecords", "td_mta.model", "td_mta.training"},
    "keras": {"td_mta.model", "td_mta.training"},
    "pytd": {"td_mta.warehouse.td_connection"},
    "tdclient": {"td_mta.warehouse.td_connection"},
    "datafusion": {"td_mta.warehouse"},
    "sqlglot": {"td_mta.warehouse", "td_emulator"},
    "streamlit": {"td_mta.dashboard.app"},
}
JOINERS = {"pipeline", "cli", "main", "docker_main", "dashboard"}
WRITES_FILES = {  # a command line and its files beside their core
    "td_mta.simulate.__main__",
    "td_mta.simulate.files",
    "td_mta.simulate.folders",
}


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path: Path) -> set[str]:
    """Full names of the modules that a source imports; `from a import b` gives a and a.b."""
    return imported(path.read_text(encoding="utf-8"), package_of(path))


def package_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).parts[:-1])


def imported(source: str, package: str) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1]
            parts = [*(above if node.level else []), *([node.module] if node.module else [])]
            module = ".".join(parts)
            found |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in {
            "__import__",
            "import_module",
            "importlib.import_module",
        }:
            names = [a.value for a in node.args[:1] if isinstance(a, ast.Constant)]
            found |= {str(name) for name in names}
    return found


def is_or_in(module: str, parent: str) -> bool:
    return module == parent or module.startswith(f"{parent}.")


def layer(module: str) -> str:
    """The second part of a module's name: `journeys` of `td_mta.journeys.windows`."""
    return [*module.split("."), "", ""][1]


CORE_SOURCES = [
    path
    for path in SOURCES
    if name_of(path).startswith("td_mta.")
    and layer(name_of(path)) in CORE
    and name_of(path) not in WRITES_FILES
]


def test_there_are_sources_to_read() -> None:
    assert {layer(name_of(path)) for path in CORE_SOURCES} >= {"journeys", "shapley", "simulate"}


def test_every_form_of_import_is_seen() -> None:
    source = "import a.b\nfrom c import d\nfrom . import e\nfrom ..f import g\ndef h():\n import i"
    seen = imported(source, "top.mid")
    assert seen == {"a.b", "c", "c.d", "top.mid", "top.mid.e", "top.f", "top.f.g", "i"}


@pytest.mark.parametrize("path", CORE_SOURCES, ids=name_of)
def test_core_imports_numpy_and_core_alone(path: Path) -> None:
    for module in imports_of(path):
        top = module.split(".")[0]
        if top == "td_mta":
            inside = layer(module) in CORE or any(is_or_in(module, base) for base in BASE)
            assert inside or module == "td_mta", f"{name_of(path)} imports {module}"
        else:
            allowed = CORE_LIBRARIES | sys.stdlib_module_names
            assert top in allowed, f"{name_of(path)} imports {module}"


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_heavy_libraries_stay_where_they_belong(path: Path) -> None:
    name = name_of(path)
    for module in imports_of(path):
        homes = HEAVY.get(module.split(".")[0])
        if homes is not None:
            assert any(is_or_in(name, home) for home in homes), f"{name} imports {module}"


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_td_mta_never_imports_the_runner_on_top_of_it(path: Path) -> None:
    if name_of(path).startswith("td_mta"):
        assert not any(is_or_in(module, "local_runner") for module in imports_of(path))


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_the_emulator_stands_outside_like_the_service_that_it_plays(path: Path) -> None:
    imports = imports_of(path)
    if not name_of(path).startswith("td_emulator"):
        assert not any(is_or_in(module, "td_emulator") for module in imports)
        return
    assert not any(is_or_in(module, "local_runner") for module in imports)
    ours = {module for module in imports if is_or_in(module, "td_mta")} - {"td_mta"}
    allowed = ("td_mta.errors", "td_mta.warehouse")
    assert all(any(is_or_in(module, home) for home in allowed) for module in ours)


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_nothing_but_entry_points_imports_what_joins_the_rest(path: Path) -> None:
    name = name_of(path)
    if name.startswith("td_mta.") and layer(name) not in JOINERS:
        ours = {module for module in imports_of(path) if module.startswith("td_mta.")}
        assert not {module for module in ours if layer(module) in JOINERS}


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_what_everyone_may_import_imports_nothing_of_ours(path: Path) -> None:
    if name_of(path) in BASE:
        assert {module.split(".")[0] for module in imports_of(path)} <= sys.stdlib_module_names


@pytest.mark.parametrize(
    "command",
    [["-m", "td_mta.main", "--help"], ["-m", "local_runner", "--help"]],
    ids=["td_mta.main", "local_runner"],
)
def test_help_is_instant_since_it_imports_nothing_heavy(command: list[str]) -> None:
    run = subprocess.run(
        [sys.executable, "-X", "importtime", *command],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    assert "usage:" in run.stdout
    # importtime writes a line "... | cumulative | <indent>module" for each import
    loaded = {line.rpartition("|")[2].strip().split(".")[0] for line in run.stderr.splitlines()}
    assert not loaded & {
        "tensorflow",
        "keras",
        "sklearn",
        "datafusion",
        "sqlglot",
        "plotly",
        "pytd",
    }
