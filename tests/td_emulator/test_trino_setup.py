"""What a real Trino needs is found, or named; nothing half-fetched is taken for it."""

import tarfile
import zipfile
from pathlib import Path

import pytest

from td_emulator.engines.real_trino import artifacts, functions, java
from td_emulator.engines.real_trino.job_text import job_text
from td_mta.errors import WarehouseError, WrongInput


def jdk(folder: Path, version: str) -> Path:
    """A folder that looks like a JDK."""
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "java").write_text("#!/bin/sh\n")
    (folder / "bin" / "java").chmod(0o755)
    (folder / "release").write_text(f'JAVA_VERSION="{version}"\n')
    return folder


@pytest.fixture
def no_java_folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(java, "FOLDERS", (f"{tmp_path}/jvm/*",))
    return tmp_path / "jvm"


def test_a_newer_jdk_is_found_beside_the_default_one(no_java_folders: Path, tmp_path: Path) -> None:
    jdk(no_java_folders / "java-17", "17.0.15")
    new = jdk(no_java_folders / "temurin-25", "25.0.3")
    old = jdk(tmp_path / "home", "17.0.15")
    found = java.find({"JAVA_HOME": str(old), "PATH": str(old / "bin")})
    assert found == new / "bin" / "java"


def test_java_home_comes_first(no_java_folders: Path, tmp_path: Path) -> None:
    jdk(no_java_folders / "temurin-25", "25.0.3")
    home = jdk(tmp_path / "home", "24")
    assert java.find({"JAVA_HOME": str(home)}) == home / "bin" / "java"


def test_only_old_ones_are_named_with_what_to_install(no_java_folders: Path) -> None:
    old = jdk(no_java_folders / "java-8", "1.8.0_392")
    with pytest.raises(WrongInput) as raised:
        java.find({"PATH": ""})
    assert f"found {old / 'bin' / 'java'} (8)" in str(raised.value)
    assert "install a JDK 24 or newer" in str(raised.value)


def test_no_java_at_all_is_reported(no_java_folders: Path) -> None:
    with pytest.raises(WrongInput, match="Trino needs Java 24 or newer; found none: install"):
        java.find({"PATH": ""})


def test_missing_maven_is_reported_with_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(WrongInput, match="there is no mvn on PATH: install it"):
        artifacts.home(tmp_path / "cache")


def maven(folder: Path, script: str) -> None:
    """An `mvn` that runs a line of shell; $dir is where the artifact should go."""
    folder.mkdir()
    (folder / "mvn").write_text(
        '#!/bin/sh\nfor arg; do case "$arg" in -DoutputDirectory=*) dir="${arg#*=}";; esac; done\n'
        f"{script}\n"
    )
    (folder / "mvn").chmod(0o755)


def test_a_failing_fetch_leaves_nothing_and_says_what_maven_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    maven(tmp_path / "bin", "echo no route to the repository; exit 1")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    with pytest.raises(WarehouseError, match="no route to the repository"):
        artifacts.home(tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_file_that_is_not_the_known_one_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    maven(tmp_path / "bin", f'echo half > "$dir/{artifacts.SERVER.file}"')
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    with pytest.raises(WarehouseError, match=r"trino-server-core:476:tar\.gz has the SHA-256"):
        artifacts.home(tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_only_what_is_needed_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = tmp_path / "made"
    made.mkdir()
    top = f"{artifacts.SERVER.name}-{artifacts.VERSION}"
    (made / "jar").write_text("jar")
    with tarfile.open(made / artifacts.SERVER.file, "w:gz") as tar:
        for name in ("lib/a.jar", "bin/launcher", "plugin/other/b.jar"):
            tar.add(made / "jar", f"{top}/{name}")
    for plugin in (artifacts.MEMORY, artifacts.HIVE):
        with zipfile.ZipFile(made / plugin.file, "w") as jars:
            jars.writestr(f"{plugin.name}-476/c.jar", "jar")
    maven(tmp_path / "bin", f'cp "{made}"/trino-* "$dir"')
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setattr(artifacts, "_verify", lambda path, artifact: None)
    kept = artifacts.home(tmp_path / "cache")
    files = sorted(str(path.relative_to(kept)) for path in kept.rglob("*") if path.is_file())
    assert files == ["lib/a.jar", "plugin/memory/c.jar"]
    monkeypatch.setenv("PATH", "")  # the second time nothing is fetched
    assert artifacts.home(tmp_path / "cache") == kept
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    with_disk = artifacts.home(tmp_path / "cache", disk=True)
    plugins = sorted(str(path.relative_to(with_disk)) for path in with_disk.rglob("c.jar"))
    assert plugins == ["plugin/hive/c.jar", "plugin/memory/c.jar"]


def test_every_statement_of_the_functions_makes_one() -> None:
    statements = functions.statements()
    assert len(statements) > 30
    assert [s for s in statements if s.count("create function") != 1 or s.endswith(";")] == []


@pytest.mark.parametrize(
    "sql",
    [
        "select td_interval from t",
        "select 'td_interval('",
        "-- td_interval(\nselect 1",
        '"td_interval"(1)',
    ],
)
def test_only_calls_are_given_the_time(sql: str) -> None:
    assert job_text(sql, 60) == sql


def test_calls_are_given_the_time_of_the_job() -> None:
    assert (
        job_text("select TD_SCHEDULED_TIME(), td_interval(time, '-1d')", 60)
        == "select td_scheduled_time_at(60), td_interval_at(60, time, '-1d')"
    )
