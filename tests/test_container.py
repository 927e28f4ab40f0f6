"""The Python task in a bare container: its Python, its packages, and errors without them."""

import ast
import base64
import hashlib
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from td_mta import container, docker_main
from td_mta.errors import ConfigError, MtaError

ROOT = Path(__file__).parent.parent
RUNNER = ROOT / "local_runner" / "processes" / "py_runner.py"
PINNED = sorted(ROOT.glob("td_mta/requirements-*.txt"))
READ_BY_ANY_PYTHON = ["docker_main.py", "container.py", "errors.py", "__init__.py"]


def pins(file: Path) -> dict[str, str]:
    pins = re.findall(r"^([\w.-]+)==(\S+)", file.read_text("utf-8"), re.MULTILINE)
    return {name.lower().replace("_", "-"): version for name, version in pins}


@pytest.mark.parametrize("name", READ_BY_ANY_PYTHON)
def test_an_old_python_can_read_what_says_that_it_is_too_old(name: str) -> None:
    tree = ast.parse((ROOT / "td_mta" / name).read_text("utf-8"), feature_version=(3, 7))
    imported = {
        alias.name if isinstance(node, ast.Import) else node.module
        for node in tree.body
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    known = {"td_mta", "td_mta.errors", *sys.stdlib_module_names}
    assert {str(module) for module in imported} <= known | {"collections.abc"}
    if "def " in ast.unparse(tree):
        assert "from __future__ import annotations" in ast.unparse(tree)


@pytest.mark.parametrize("version", [(3, 7), (3, 9)])
def test_an_image_with_an_old_python_is_refused_with_the_images_that_will_do(
    version: tuple[int, int],
) -> None:
    with pytest.raises(ConfigError) as caught:
        container.check_python(version)
    assert str(caught.value) == (
        "docker_image must be an image with Python 3.10 or 3.12, got one with "
        f"3.{version[1]}: set digdag/digdag-python:3.10.1 or "
        "treasuredata/customscript-python:3.12.11-td0"
    )


def test_a_python_without_a_list_of_packages_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"Python 3\.10 or 3\.12, got one with 3\.13"):
        container.requirements((3, 13))


def test_each_image_has_its_list_of_packages_and_params_yml_names_it() -> None:
    files = [container.requirements((3, int(name[2:]))) for name in container.IMAGES]
    assert sorted(files) == PINNED
    params = (ROOT / "config" / "params.yml").read_text("utf-8")
    assert [image for image in container.IMAGES.values() if image not in params] == []


@pytest.mark.parametrize("file", PINNED, ids=lambda file: file.stem)
def test_every_package_is_pinned_with_hashes_and_no_address(file: Path) -> None:
    text = file.read_text("utf-8")
    for entry in re.split(r"\n(?=\S)", text.strip()):
        assert re.fullmatch(r"\S+==\S+ \\(\n    --hash=sha256:[0-9a-f]{64}( \\)?)+", entry)
    assert "http" not in text


@pytest.mark.parametrize("file", PINNED, ids=lambda file: file.stem)
def test_the_packages_are_those_of_the_project_in_the_versions_of_its_tests(file: Path) -> None:
    installed = pins(file)
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    needed = re.search(r"^dependencies = \[(.*?)^\]", project, re.MULTILINE | re.DOTALL)
    assert needed
    names = set(re.findall(r'"([\w-]+)', needed[1])) - {"plotly"}
    assert names | {"keras", "tensorflow-cpu", "pytd"} <= installed.keys()
    unneeded = {"plotly", "libclang", "datafusion", "sqlglot", "pytest", "tensorflow"}
    assert unneeded.isdisjoint(installed) and not any("cuda" in name for name in installed)
    locked = (ROOT / "td_mta" / "requirements.txt").read_text("utf-8")
    assert [f"{n}=={v}" for n, v in installed.items() if f"{n}=={v} " not in locked] == []


@pytest.mark.parametrize("file", PINNED, ids=lambda file: file.stem)
def test_the_media_mix_installs_some_of_them_and_no_tensorflow(file: Path, tmp_path: Path) -> None:
    chosen = tmp_path / "chosen.txt"
    chosen.write_text(container.chosen(file, container.OF_MEDIA_MIX), "utf-8")
    some, every = pins(chosen), pins(file)
    assert {"numpy", "scipy", "pandas", "pyarrow", "pyyaml", "tqdm", "pytd"} <= some.keys()
    assert some.items() < every.items()
    of_model = {"tensorflow-cpu", "keras", "h5py", "grpcio", "protobuf"}
    assert of_model <= every.keys() - some.keys()
    assert chosen.read_text("utf-8").count("--hash=sha256:") >= len(some)
    unused = set(container.OF_MEDIA_MIX.read_text("utf-8").split()) - every.keys()
    assert unused <= {"six"}  # which pandas needs with Python 3.10 alone


@pytest.mark.parametrize(
    ("task", "only"), [("run", None), ("media_mix", container.OF_MEDIA_MIX)], ids=["run", "mmm"]
)
def test_each_task_installs_what_it_imports(task: str, only: Path | None) -> None:
    code = f"""
from td_mta import container, docker_main
container.check_python = lambda: None
def install(only):
    print(only)
    raise SystemExit
container.install = install
docker_main.{task}()
"""
    assert python(code).stdout == f"{only}\n"


def wheel(folder: Path, name: str, modules: dict[str, str]) -> str:
    """Make a wheel; its line in a file of requirements."""
    info = f"{name}-1.0.dist-info"
    tag = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    files = {
        **modules,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": tag,
    }
    record = [f"{path},sha256={_digest(text)},{len(text.encode())}" for path, text in files.items()]
    path = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as made:
        for inside, text in files.items():
            made.writestr(inside, text)
        made.writestr(f"{info}/RECORD", "\n".join([*record, f"{info}/RECORD,,"]))
    return f"{name}==1.0 --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


def _digest(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


INSTALLED = """
import sys
sys.path[:0] = [{image!r}]
import space  # as a .pth file of the image would
from pathlib import Path
from td_mta import container
container.install(Path({file!r}))
import both, space.part
print(both.FROM, space.part.FROM)
"""


def python(code: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "PIP_RETRIES": "1", **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_pinned_packages_go_before_those_of_the_image(tmp_path: Path) -> None:
    image = tmp_path / "image"
    for name, text in {"both.py": "FROM = 'image'", "space/other.py": ""}.items():
        (image / name).parent.mkdir(parents=True, exist_ok=True)
        (image / name).write_text(text)
    modules = {"both.py": "FROM = 'pinned'", "space/part.py": "FROM = 'pinned too'"}
    file = tmp_path / "requirements.txt"
    file.write_text(wheel(tmp_path, "given", modules))
    code = INSTALLED.format(image=str(image), file=str(file))
    folder = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path), "PIP_USER": "1"}
    done = python(code, **folder, TMPDIR=str(tmp_path))
    assert done.stdout == "pinned pinned too\n", done.stderr
    assert list(tmp_path.glob("td_mta_packages_*")) == []  # gone with the process


FAILED = """
import resource, sys
from pathlib import Path
from td_mta import container
from td_mta.errors import MtaError
if len(sys.argv) > 1: resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    container.install(Path({file!r}))
except MtaError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("requirement", "environment", "message"),
    [
        (
            "given==1.0 --hash=sha256:" + "0" * 64,
            {"PIP_INDEX_URL": "http://127.0.0.1:1/simple"},
            "pip could not install r.txt: the package index cannot be reached from the container (",
        ),
        (
            "given==2.0 --hash=sha256:" + "0" * 64,
            {"PIP_NO_INDEX": "1"},
            "pip could not install r.txt: the index has no wheel of a package for this image "
            "(No matching distribution found for given==2.0)",
        ),
        (
            "given==1.0 --hash=sha256:" + "0" * 64,
            {"PIP_NO_INDEX": "1"},
            "pip could not install r.txt: a package has another hash than the pinned one (",
        ),
    ],
    ids=["no-network", "no-wheel", "another-wheel"],
)
def test_what_pip_cannot_do_is_one_line_with_its_meaning(
    tmp_path: Path, requirement: str, environment: dict[str, str], message: str
) -> None:
    wheel(tmp_path, "given", {"given.py": ""})
    (tmp_path / "r.txt").write_text(requirement)
    links = {"PIP_FIND_LINKS": str(tmp_path)} if "PIP_NO_INDEX" in environment else {}
    done = python(FAILED.format(file=str(tmp_path / "r.txt")), **environment, **links)
    assert done.stdout.startswith(message), done.stdout + done.stderr
    assert len(done.stdout.splitlines()) == 1


def test_a_full_disk_for_the_packages_is_named(tmp_path: Path) -> None:
    (tmp_path / "r.txt").write_text(wheel(tmp_path, "given", {"given.py": "#" * 5000}))
    code = "import sys; sys.argv.append('small')\n" + FAILED.format(file=str(tmp_path / "r.txt"))
    done = python(code, PIP_NO_INDEX="1", PIP_FIND_LINKS=str(tmp_path), TMPDIR=str(tmp_path))
    full = f"pip could not install r.txt: the disk of {tmp_path} is full, about 3 GB are needed"
    assert done.stdout.startswith(full), done.stdout + done.stderr


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A folder with a small table of touchpoints."""
    rng = np.random.default_rng(1)
    rows = 3000
    frame = pd.DataFrame(
        {
            "canonical_id": rng.integers(0, 300, rows).astype(str),
            "time": 1_700_000_000 + rng.integers(0, 20 * 86400, rows),
            "channels": rng.choice(["Email", "Social", "Direct"], rows),
            "conversion": (rng.random(rows) < 0.1).astype(int),
        }
    )
    frame.to_csv(tmp_path / "mta_user_rnd.csv", index=False)
    return tmp_path


def task(shop: Path, *command: str, **more: object) -> dict[str, dict[str, object]]:
    """What a py> task stored and which error it reported; `more` are parameters."""
    parameters = {"train_epochs": "1", "model_width": "4", "train_batch_size": "100", **more}
    (shop / "input.json").write_text(json.dumps({"params": parameters}))
    local = {"MTA_WAREHOUSE": "local", "MTA_DATA": str(shop), "MTA_OUT": str(shop / "out")}
    subprocess.run(
        [
            *(sys.executable, *command, str(RUNNER), "td_mta.docker_main.run"),
            *(str(shop / "input.json"), str(shop / "output.json")),
        ],
        cwd=ROOT,
        env={**os.environ, **local, "TMPDIR": str(shop)},
        capture_output=True,
        timeout=300,
    )
    output: dict[str, dict[str, object]] = json.loads((shop / "output.json").read_text())
    return output


@pytest.mark.slow
def test_numbers_may_be_text_and_later_tasks_get_the_results(shop: Path) -> None:
    done = task(shop, dropout_rate="0.5", session_unixtime=1_772_323_200, value_column=None)
    assert done["error"] is None
    stored = done["store"]["mta"]
    assert isinstance(stored, dict) and set(stored) == {"run_id", "counts", "quality"}
    assert stored["counts"]["touchpoints"] == 3000
    assert stored["counts"]["users"] == 300
    assert 0 < stored["quality"]["lstm_log_loss"] < 1
    assert re.fullmatch(r"\d{8}T\d{6}Z-[0-9a-f]{8}", stored["run_id"])


@pytest.mark.slow
def test_an_import_that_fails_is_named(shop: Path) -> None:
    message = task(shop, "-S")["error"]["message"]
    assert str(message).startswith("the package yaml cannot be imported (No module named 'yaml')")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("most", "step"), [(9_999, "ingest/scan.py"), (99_999, "dataset/tfrecords.py")]
)
def test_a_full_disk_is_named_and_no_table_is_touched(shop: Path, most: int, step: str) -> None:
    """Files of at most so many bytes: enough for nothing, or for the rows but not for records."""
    small = f"import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_FSIZE, ({most},) * 2)"
    small += "; del sys.argv[0]; runpy.run_path(sys.argv[0], run_name='__main__')"
    error = task(shop, "-c", small, lookback_window_days="9")["error"]
    assert str(error["message"]).startswith("the disk is full"), error
    assert "run_model: false" in str(error["message"])
    assert f"td_mta/{step}" in "".join(error["backtrace"]), error["backtrace"]
    assert list((shop / "out").glob("*.csv")) == []


def test_a_lack_of_memory_is_named_with_what_to_do() -> None:
    message = docker_main._describe_system_error(MemoryError())
    assert message.startswith("out of memory: lower users_per_tfrecord or lookback_window_days")


@pytest.mark.slow
def test_an_error_of_ours_reaches_digdag_as_it_is(shop: Path) -> None:
    error = task(shop, lookback_window_days="0")["error"]
    assert error["class"] == ConfigError.__name__
    assert error["message"] == "config/params.yml: lookback_window_days must be at least 1, got 0"
    assert issubclass(ConfigError, MtaError)
