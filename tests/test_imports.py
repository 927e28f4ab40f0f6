"""Who may import whom: the picture below, which the maintainers' guide shows too.

The sources are read, not run. `if TYPE_CHECKING` and imports inside functions count like any other:
a room that needs another one later still needs it.
"""

import ast
import subprocess
import sys
from collections import Counter
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# A room imports rooms of the floors above it in this picture, and of its own floor.
PICTURE = """
 atomic_files  errors  failures  progress  quiet  tables  visible_text  xxhash64   the ground
   ▲
 journeys  privacy  simulate                        core: numpy, scipy; plain arguments, no Config
   ▲
 metrics  shapley  baselines  mmm                   core
   ▲
 config  model  publishing  trino_on_datafusion  warehouse   adapters
   ▲
 ingest
   ▲
 dataset
   ▲
 reporting
   ▲
 pipelines                                          joins adapters to core
   ▲
 check  cli  container  dashboard  docker_main  main   entry points
"""
FLOORS = [line.strip().split("   ")[0].split() for line in PICTURE.splitlines() if "▲" not in line]
FLOORS = [rooms for rooms in FLOORS if rooms]
FLOOR = {room: height for height, rooms in enumerate(FLOORS) for room in rooms}
ENTRY_POINTS = {"td_mta.mmm.__main__"}  # a command whose name is that of its core
CORE = {*FLOORS[1], *FLOORS[2]}

SOURCES = sorted(
    path
    for package in ("td_mta", "local_runner", "td_emulator")
    for path in ROOT.glob(f"{package}/**/*.py")
)
MOST_FILES = 15  # a folder with more holds a second idea
CORE_LIBRARIES = {"numpy", "scipy"}
HOMES = {  # the only places that import a heavy library
    "tensorflow": {"td_mta.dataset.tfrecords", "td_mta.model"},
    "keras": {"td_mta.model"},
    "pytd": {"td_mta.warehouse.td_connection"},
    "tdclient": {"td_mta.warehouse.td_connection"},
    "datafusion": {"td_mta.trino_on_datafusion", "td_mta.warehouse.local"},
    "sqlglot": {"td_mta.trino_on_datafusion", "td_mta.warehouse.local", "td_emulator.engines"},
    "streamlit": {"td_mta.dashboard"},
    "matplotlib": {"td_mta.reporting.media_mix.pictures", "td_mta.reporting.media_mix.fonts"},
}
WRITES_FILES = {  # a command line and its files beside their core
    "td_mta.mmm.__main__",
    "td_mta.simulate.media_mix.output",
    "td_mta.simulate.__main__",
    "td_mta.simulate.output.files",
    "td_mta.simulate.output.folders",
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
    modules: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1]
            parts = [*(above if node.level else []), *([node.module] if node.module else [])]
            module = ".".join(parts)
            modules |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in {
            "__import__",
            "import_module",
            "importlib.import_module",
        }:
            names = [a.value for a in node.args[:1] if isinstance(a, ast.Constant)]
            modules |= {str(name) for name in names}
    return modules


def is_or_in(module: str, parent: str) -> bool:
    return module == parent or module.startswith(f"{parent}.")


def room(module: str) -> str:
    """The second part of a module's name: `journeys` of `td_mta.journeys.windows`."""
    return [*module.split("."), "", ""][1]


OUR_SOURCES = [path for path in SOURCES if room(name_of(path)) in FLOOR]
CORE_SOURCES = [
    path
    for path in OUR_SOURCES
    if room(name_of(path)) in CORE and name_of(path) not in WRITES_FILES
]


def test_the_picture_names_every_room_and_no_other() -> None:
    rooms = {path.stem for path in ROOT.glob("td_mta/*.py")} - {"__init__"}
    rooms |= {path.parent.name for path in ROOT.glob("td_mta/*/*.py")}
    assert set(FLOOR) == rooms


def test_the_maintainers_guide_shows_the_picture() -> None:
    assert PICTURE.strip("\n") in (ROOT / "docs" / "maintainers.md").read_text(encoding="utf-8")


def test_every_form_of_import_is_seen() -> None:
    source = "import a.b\nfrom c import d\nfrom . import e\nfrom ..f import g\ndef h():\n import i"
    seen = imported(source, "top.mid")
    assert seen == {"a.b", "c", "c.d", "top.mid", "top.mid.e", "top.f", "top.f.g", "i"}


@pytest.mark.parametrize(
    "path", [path for path in OUR_SOURCES if name_of(path) not in ENTRY_POINTS], ids=name_of
)
def test_a_room_imports_no_room_above_it(path: Path) -> None:
    for module in imports_of(path):
        if is_or_in(module, "td_mta") and module != "td_mta":
            above = FLOOR[room(module)] > FLOOR[room(name_of(path))]
            assert not above, f"{name_of(path)} imports {module}"


def test_no_import_goes_in_a_circle() -> None:
    names = {name_of(path): path for path in SOURCES}
    graph = {}
    for name, path in names.items():
        # `from a import b` names the package a only where b is no module of it
        modules = imports_of(path) & set(names)
        packages = {m for m in modules if any(other.startswith(f"{m}.") for other in modules)}
        graph[name] = modules - packages - {name}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"a circle of imports: {' -> '.join(error.args[1])}")


def test_a_folder_holds_few_enough_files_to_look_at() -> None:
    files = Counter(str(path.parent.relative_to(ROOT)) for path in SOURCES)
    assert {folder: n for folder, n in files.items() if n > MOST_FILES} == {}


@pytest.mark.parametrize("path", CORE_SOURCES, ids=name_of)
def test_the_core_imports_numpy_scipy_and_the_standard_library(path: Path) -> None:
    for module in imports_of(path):
        top = module.split(".")[0]
        allowed = CORE_LIBRARIES | sys.stdlib_module_names | {"td_mta"}
        assert top in allowed, f"{name_of(path)} imports {module}"


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_heavy_libraries_stay_where_they_belong(path: Path) -> None:
    name = name_of(path)
    for module in imports_of(path):
        homes = HOMES.get(module.split(".")[0])
        if homes is not None:
            assert any(is_or_in(name, home) for home in homes), f"{name} imports {module}"


def test_the_apps_data_knows_no_streamlit() -> None:
    shown = [path for path in SOURCES if is_or_in(name_of(path), "td_mta.dashboard.data")]
    assert len(shown) > 10
    assert [path for path in shown if "streamlit" in imports_of(path)] == []


@pytest.mark.parametrize("path", OUR_SOURCES, ids=name_of)
def test_only_local_files_need_the_embedded_sql_engine(path: Path) -> None:
    """It is not pushed to Treasure Data."""
    name, engine = name_of(path), "td_mta.trino_on_datafusion"
    if not is_or_in(name, engine) and name != "td_mta.warehouse.local":
        assert not any(is_or_in(module, engine) for module in imports_of(path))


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
    allowed = (
        "td_mta.atomic_files",
        "td_mta.errors",
        "td_mta.trino_on_datafusion",
        "td_mta.warehouse",
    )
    assert all(any(is_or_in(module, home) for home in allowed) for module in ours)


@pytest.mark.parametrize(
    "path", [path for path in OUR_SOURCES if room(name_of(path)) in FLOORS[0]], ids=name_of
)
def test_the_ground_imports_nothing_of_ours(path: Path) -> None:
    assert not any(is_or_in(module, "td_mta") for module in imports_of(path))


@pytest.mark.parametrize(
    "command",
    [[*("-m", name), "--help"] for name in ("td_mta.main", "td_mta.mmm", "local_runner")],
    ids=["td_mta.main", "td_mta.mmm", "local_runner"],
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
    heavy = {"tensorflow", "keras", "sklearn", "datafusion", "sqlglot", "plotly", "pytd"}
    assert not loaded & heavy
