"""`python -m local_runner archive`: what `digdag push` and `td wf push` would send, and how much.

As Digdag's client packs a project: nothing whose name begins with a dot, nothing that
`.digdagignore` names; a folder left out is not looked into. Only `.dig` files of the root are
workflows.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

from pathspec import GitIgnoreSpec

from td_mta.errors import ConfigError

IGNORED = ".digdagignore"
LIMIT = 2 * 2**20  # bytes, of Digdag's own server by default; Treasure Data takes more


def archived(root: Path) -> list[Path]:
    """The files of a project that are pushed, from its root, sorted."""
    file = root / IGNORED
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    return sorted(_below(root, root, GitIgnoreSpec.from_lines(lines)))


def workflows(files: Sequence[Path]) -> list[str]:
    """The names of the workflows among these files."""
    return [path.stem for path in files if len(path.parts) == 1 and path.suffix == ".dig"]


def _below(folder: Path, root: Path, ignored: GitIgnoreSpec) -> Iterator[Path]:
    for path in folder.iterdir():
        name = path.relative_to(root).as_posix() + ("/" if path.is_dir() else "")
        if path.name.startswith(".") or ignored.match_file(name):
            continue
        if path.is_dir():
            yield from _below(path, root, ignored)
        else:
            yield path.relative_to(root)


def main(argv: Sequence[str]) -> int:
    """Print a line for each file and their sum; raises `ConfigError` when they are too large."""
    parser = argparse.ArgumentParser("python -m local_runner archive", description=__doc__)
    parser.add_argument("root", nargs="?", type=Path, default=Path(), help="the project (.)")
    root = parser.parse_args(argv).root
    sizes = {path: (root / path).stat().st_size for path in archived(root)}
    total = sum(sizes.values())
    for path, size in sizes.items():
        print(f"{size:>10,}  {path.as_posix()}")
    print(f"{total:>10,}  in all; workflows: {', '.join(workflows(list(sizes)))}")
    if total > LIMIT:
        largest = sorted(sizes, key=lambda path: -sizes[path])[:3]
        raise ConfigError(
            f"the archive must be at most {LIMIT:,} bytes for Digdag, got {total:,}: list files in "
            f"{IGNORED} that the workflow does not need, such as "
            f"{', '.join(path.as_posix() for path in largest)}"
        )
    return 0
