"""A fake `digdag` command that calls the local runner, to test the harness in `real_digdag.py`.

The real Digdag cannot be installed everywhere. The fake has those options, files and lines of
output that the harness uses.
"""

import argparse
import os
import sys
import tarfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from local_runner.__main__ import main as local_runner  # noqa: E402
from local_runner.archive import archived  # noqa: E402
from local_runner.workflow.project import Project  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("run", "check", "archive"):
        command = commands.add_parser(name)
        command.add_argument("-c", "--config", type=Path, required=True)
        command.add_argument("--project", type=Path, default=Path())
        if name == "run":
            command.add_argument("workflow")
            command.add_argument("--no-save", action="store_true")
            command.add_argument("--session", required=True)
        if name == "archive":
            command.add_argument("-o", "--output", type=Path, required=True)
    options = parser.parse_args()
    return {"run": run, "check": check, "archive": archive}[options.command](options)


def properties(file: Path) -> dict[str, str]:
    lines = file.read_text(encoding="utf-8").splitlines()
    return {key.strip(): value.strip() for key, _, value in (line.partition("=") for line in lines)}


def run(options: argparse.Namespace) -> int:
    config = properties(options.config)
    assert config["params.td.use_ssl"] == "false"
    assert config["agent.command_executor.type"] == "simple"
    assert os.environ["TD_CONFIG_PATH"] == "/nonexistent"
    os.environ["TD_API_KEY"] = config["secrets.td.apikey"]
    os.environ["TD_API_SERVER"] = f"http://{config['params.td.endpoint']}/"
    words = [options.workflow, "--warehouse", "td", "--out", os.environ["MTA_OUT"]]
    return local_runner(["run", *words, "--session", options.session])


def check(options: argparse.Namespace) -> int:
    project = Project(options.project.resolve(), {})
    names = sorted(path.name for path in options.project.glob("*.dig"))
    configs = {name: project.workflow(name).config for name in names}
    print(f"  Definitions ({len(configs)} workflows):")
    for name, config in configs.items():
        print(f"    {name.removesuffix('.dig')} ({len(config)} tasks)")
    daily = [name for name, config in configs.items() if "schedule" in config]
    print(f"\n  Schedules ({len(daily)} entries):")
    for name in daily:
        print(f"    {name.removesuffix('.dig')}:")
    return 0


def archive(options: argparse.Namespace) -> int:
    with tarfile.open(options.output, "w:gz") as packed:
        for path in archived(options.project):
            packed.add(options.project / path, path.as_posix())
    return 0


if __name__ == "__main__":
    sys.exit(main())
