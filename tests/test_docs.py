"""What README, docs/ and CHANGELOG say of commands, parameters, tables, files and links is so."""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from local_runner import __main__ as local_runner
from local_runner.archive import archived
from local_runner.operators import OPERATORS
from td_mta import cli
from td_mta.baselines.methods import METHODS
from td_mta.config.attribution import PARAMETERS
from td_mta.config.mmm import MediaMixConfig
from td_mta.config.parameters import names_of
from td_mta.reporting.media_mix.frames import MEDIA_MIX_TABLES
from td_mta.simulate import WORLDS
from td_mta.tables import TABLES

ROOT = Path(__file__).parent.parent
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in [
        *(ROOT / name for name in ("README.md", "CHANGELOG.md", "td_mta/README.md")),
        *sorted(ROOT.glob("docs/**/*.md")),
    ]
}
MAINTAINERS = PAGES["docs/maintainers.md"]
MOST_LINES = 65  # of the front page
MOST_BYTES = 200_000  # of a picture


class Command(NamedTuple):
    """A command line of a page, continuation lines joined, its comment left out."""

    page: str
    line: str

    @property
    def words(self) -> list[str]:
        return shlex.split(self.line)


def section(title: str, page: str) -> str:
    """The text under a heading of the second level, up to the next one."""
    return re.split(r"^## ", page.split(f"\n## {title}\n", 1)[1], flags=re.MULTILINE)[0]


def rows(markdown: str) -> list[list[str]]:
    """The cells of the tables in a text, their headings left out."""
    lines = re.findall(r"^\| (.*) \|$", markdown, re.MULTILINE)
    cells = [[cell.strip() for cell in line.split(" | ")] for line in lines]
    rules = {index for index, row in enumerate(cells) if set("".join(row)) == {"-"}}
    return [row for index, row in enumerate(cells) if not rules & {index, index + 1}]


def code_blocks(markdown: str) -> list[str]:
    """What stands in fences without a language: commands and what they print."""
    blocks = re.findall(r"^```(\w*)\n(.*?)^```", markdown, re.MULTILINE | re.DOTALL)
    return [content for language, content in blocks if not language]


def commands() -> Iterator[Command]:
    """Each line of a code block, and what stands in backticks and begins like a command."""
    for page, markdown in PAGES.items():
        lines = "\n".join(code_blocks(markdown)).replace("\\\n", " ").splitlines()
        prose = re.sub(r"^```\w*\n.*?^```", "", markdown, flags=re.MULTILINE | re.DOTALL)
        inline = re.findall(r"`((?:python -m|make) [^`]+)`", prose)
        for line in [*lines, *(" ".join(text.split()) for text in inline)]:
            if line.strip():
                yield Command(page, re.split(r"\s+#", line)[0].strip())


def label(command: Command) -> str:
    return f"{command.page}: {command.line}"


PYTHON_COMMANDS = [
    Command(command.page, re.sub(r"^\S*python3? ", "python ", command.line).replace("[", " "))
    for command in commands()
    if re.match(r"\S*python3? -m (?!pip)", command.line)
]


def sources(module: str) -> str:
    """The text of a module, or of all files of a package that is run."""
    spec = find_spec(module)
    assert spec is not None and spec.origin, f"no module {module}"
    path = Path(spec.origin)
    files = path.parent.glob("*.py") if path.name == "__init__.py" else [path]
    return "\n".join(file.read_text(encoding="utf-8") for file in sorted(files))


@pytest.mark.parametrize("command", PYTHON_COMMANDS, ids=label)
def test_the_module_of_a_command_and_its_options_exist(command: Command) -> None:
    module, *arguments = command.words[2:]
    text = sources("td_mta.cli" if module in ("td_mta.main", "td_mta.check") else module)
    options = {word.rstrip("]") for word in arguments if re.match(r"--?[a-z]", word)} - {"--help"}
    assert {option for option in options if f'"{option}"' not in text} == set()


@pytest.mark.parametrize("command", PYTHON_COMMANDS, ids=label)
def test_the_parameters_of_a_command_exist(command: Command) -> None:
    words = command.words
    names = [words[index + 1] for index, word in enumerate(words) if word == "--set"]
    of_media_mix = words[2] == "td_mta.mmm" or "mmm.dig" in words
    known = names_of(MediaMixConfig) if of_media_mix else PARAMETERS
    assert {name.split("=")[0] for name in names} <= {*known, "key", "name"}


@pytest.mark.parametrize(
    "command",
    [c for c in PYTHON_COMMANDS if c.words[2] in ("td_mta.main", "td_mta.check")],
    ids=label,
)
def test_the_main_command_takes_its_options(command: Command) -> None:
    arguments = [word for word in command.words[3:] if word != "--help"]
    cli.parser().parse_args(arguments)


def test_the_runner_has_the_options_of_its_page(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        local_runner.main(["run", "--help"])
    helped = capsys.readouterr().out
    options = re.findall(
        r"(?<![\w-])--?[a-zA-Z]+(?:-[a-z]+)*", section("Options", PAGES["docs/local_runner.md"])
    )
    assert [option for option in options if option not in helped] == []


def test_the_size_of_a_push_is_stated_to_a_tenth_of_a_megabyte() -> None:
    stated = re.search(r"lists what a push sends: (\d\.\d) MB", PAGES["docs/treasure_data.md"])
    size = sum((ROOT / path).stat().st_size for path in archived(ROOT))
    assert stated is not None
    assert float(stated[1]) == pytest.approx(size / 1e6, abs=0.1)


def test_every_operator_of_the_runner_is_on_its_page() -> None:
    text = section("What it knows", PAGES["docs/local_runner.md"]).split("**Templates**")[0]
    assert set(re.findall(r"`(\w+>)`", text)) == set(OPERATORS)


def test_make_knows_every_target() -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    used = {command.words[1] for command in commands() if command.line.startswith("make ")}
    assert used
    assert used <= set(targets)


def parameter_lines(name: str) -> list[list[str]]:
    lines = (ROOT / "config" / name).read_text(encoding="utf-8").splitlines()
    matches = [re.fullmatch(r"(\w+): (.+?)\s+# (.+)", line) for line in lines]
    return [[f"`{m[1]}`", f"`{m[2].strip()}`", m[3]] for m in matches if m]


def test_the_parameter_tables_are_params_yml() -> None:
    expected = parameter_lines("params.yml")
    assert rows(PAGES["docs/parameters.md"]) == expected
    assert len(expected) == len(PARAMETERS)


def test_the_tables_of_media_mix_modelling_are_those_of_the_code() -> None:
    page = PAGES["docs/mmm.md"]
    parameters = section("Parameters of media mix modelling", page)
    assert rows(parameters) == parameter_lines("mmm.yml")
    assert rows(section("Output tables of media mix modelling", page)) == [
        [f"`{name}`", table.grain, ", ".join(table.columns)]
        for name, table in MEDIA_MIX_TABLES.items()
    ]


def test_the_file_holds_every_parameter() -> None:
    assert tuple(yaml.safe_load((ROOT / "config" / "params.yml").read_text("utf-8"))) == PARAMETERS


def test_the_table_of_tables_is_tables_py() -> None:
    expected = [
        [f"`{t.name.replace('_table', '')}`", t.grain, ", ".join(t.columns), t.meaning]
        for t in TABLES
    ]
    assert rows(PAGES["docs/tables.md"]) == expected


def test_what_can_fool_it_quotes_the_warnings_that_there_are() -> None:
    """A sentence of the source stands in several strings; `…` is for what a run fills in."""
    sources = [path.read_text(encoding="utf-8") for path in ROOT.glob("td_mta/reporting/**/*.py")]
    sentences = re.sub(r'"\s*\n\s*f?"', "", "\n".join(sources))
    warnings = " ".join(row[3] for row in rows(WHAT_CAN_FOOL_IT) if len(row) == 5)
    quoted = [part for text in re.findall(r'"([^"]+)"', warnings) for part in text.split("…")]
    assert len(quoted) > 8
    assert [part for part in quoted if part not in sentences] == []


WHAT_CAN_FOOL_IT = PAGES["docs/what_can_fool_it.md"]


def test_every_method_has_its_row_in_which_method_when() -> None:
    methods = [row[0].strip("`") for row in rows(section("Which method when", ANALYST))]
    assert methods == ["shapley", *METHODS]


ANALYST = PAGES["docs/analyst.md"]


def test_how_good_has_a_row_for_every_method() -> None:
    first = [row[0] for row in rows(section("Channel shares", HOW_GOOD))]
    ours = [name.strip("`") for name in first if name.startswith("`")]
    assert sorted(set(ours) - set(WORLDS)) == sorted(["shapley", *METHODS])


HOW_GOOD = PAGES["docs/how_good.md"]


def test_every_benchmark_has_its_command() -> None:
    # Parts of others.
    helpers = {"peers", "side_by_side", "truth_errors", "mmm_errors", "mmm_experiments"}
    modules = {path.stem for path in ROOT.glob("benchmarks/*.py")} - {"__init__", *helpers}
    figures = section("Commands and figures", PAGES["docs/speed.md"])
    assert set(re.findall(r"python -m benchmarks\.(\w+)", figures)) == modules


def anchors(markdown: str) -> list[str]:
    """The ids that MkDocs and GitHub give to the headings of a page."""
    prose = re.sub(r"^```\w*\n.*?^```", "", markdown, flags=re.MULTILINE | re.DOTALL)
    titles = re.findall(r"^#+ (.+)$", prose, re.MULTILINE)
    plain = [re.sub(r"[^\w\s-]", "", title).strip().lower() for title in titles]
    return [re.sub(r"[-\s]+", "-", title) for title in plain]


LINKS = [
    pytest.param(page, link, id=f"{page}: {link}")
    for page, markdown in PAGES.items()
    for link in re.findall(r"\]\(([^)]+)\)", markdown)
]


@pytest.mark.parametrize(("page", "link"), LINKS)
def test_a_link_leads_to_a_file_and_its_heading(page: str, link: str) -> None:
    assert ":" not in link, "links lead to files of the project"
    file, _, anchor = link.partition("#")
    target = (ROOT / page).parent / file if file else ROOT / page
    assert target.is_file()
    assert not anchor or anchor in anchors(target.read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", PAGES)
def test_every_heading_of_a_page_has_an_anchor_of_its_own(page: str) -> None:
    ids = anchors(PAGES[page])
    assert sorted(ids) == sorted(set(ids))


@pytest.mark.parametrize("page", PAGES)
def test_every_path_in_backticks_exists(page: str) -> None:
    """A path is what begins with a file or folder of the root; `docs/images/` ends in a slash."""
    prose = re.sub(r"^```\w*\n.*?^```", "", PAGES[page], flags=re.MULTILINE | re.DOTALL)
    top = {path.name for path in ROOT.iterdir()} - {"data", "out", "site"}
    paths = [text for text in re.findall(r"`([\w./-]+)`", prose) if text.split("/")[0] in top]
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_the_site_builds_without_a_warning_and_loads_nothing_from_outside(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", tmp_path]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    pages = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.glob("*.html")}
    assert len(pages) > len(list(ROOT.glob("docs/*.md")))  # and 404.html
    loaded = r"""<(?:script|img|link|iframe)[^>]+(?:src|href)=["']?(?:https?:)?//"""
    assert [name for name, page in pages.items() if re.search(loaded, page)] == []


def test_the_front_page_is_short_and_its_picture_small() -> None:
    assert len(PAGES["README.md"].splitlines()) <= MOST_LINES
    for name in ("app.png", "report.png"):
        assert (ROOT / "docs" / "images" / name).stat().st_size < MOST_BYTES


def tree() -> set[str]:
    """The paths that the maintainers' tree names; an indented one lies in the folder above it."""
    paths, folder = set(), ""
    for line in code_blocks(section("The tree", MAINTAINERS))[0].splitlines():
        names = re.split(r"\s{3,}", line.strip())[0].split("  ")
        if not line.startswith(" "):
            folder = names[0]
            paths |= set(names)
        else:
            paths |= {f"{folder}{name}" for name in names}
    return paths


def test_the_tree_names_what_is_there() -> None:
    assert {path for path in tree() if not (ROOT / path).exists()} == set()


def test_every_room_stands_in_the_tree() -> None:
    modules = {f"td_mta/{path.name}" for path in ROOT.glob("td_mta/*.py")}
    rooms = {f"td_mta/{path.parent.name}/" for path in ROOT.glob("td_mta/*/*.py")}
    top = {f"{path.parent.name}/" for path in ROOT.glob("*/*.py")}
    assert (modules | rooms | top) - {"td_mta/__init__.py"} - tree() == set()
