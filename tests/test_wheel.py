"""What is installed is whole: both packages, their data, the migrations, and a command that makes a board."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from tools import ROOT, repository_files, shown


def run(*command: str | Path, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    surroundings = {**os.environ, **environment}
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=surroundings)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """Build the wheel with what is installed here: nothing is fetched."""
    folder = tmp_path_factory.mktemp("wheel")
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check"]
    built = run(sys.executable, "-m", "pip", "wheel", *options, "--wheel-dir", folder, ROOT, folder=folder)
    assert built.returncode == 0, built.stdout + built.stderr
    (found,) = folder.glob("*.whl")
    return found


def test_the_wheel_holds_every_file_of_the_packages_and_the_migrations(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
        licenses = [name for name in archive.namelist() if name.endswith("LICENSE")]
    sources = [shown(path) for path in repository_files()]
    packages = {name for name in sources if name.startswith(("blackboard/", "knowledge_sources/"))}
    migrations = {f"blackboard/{name}" for name in sources if name.startswith("migrations/")}
    assert {"blackboard/py.typed", "knowledge_sources/py.typed"} <= packages
    assert any(name.startswith("blackboard/migrations/versions/") for name in migrations)
    assert held == packages | migrations
    assert len(licenses) == 1


def test_what_is_installed_works_without_the_checkout(wheel: Path, tmp_path: Path) -> None:
    place, board = tmp_path / "installed", tmp_path / "board.db"
    options = ["--no-deps", "--no-index", "--disable-pip-version-check"]
    installed = run(sys.executable, "-m", "pip", "install", *options, "--target", place, wheel, folder=tmp_path)
    assert installed.returncode == 0, installed.stdout + installed.stderr
    path = {"PYTHONPATH": str(place)}
    where = "import blackboard.store.upgrade as u; print(u.__file__); print(*u.known_schemas()); print(u.migrations())"
    file, schemas, migrations = run(sys.executable, "-c", where, folder=tmp_path, **path).stdout.splitlines()
    assert Path(file).is_relative_to(place)
    assert Path(migrations) == place / "blackboard" / "migrations"
    assert schemas.split()
    made = run(place / "bin" / "bb", "board", "create", board, folder=tmp_path, **path)
    assert (made.returncode, made.stderr) == (0, "")
    sound = run(place / "bin" / "bb", "board", "doctor", "--board", board, folder=tmp_path, **path)
    assert "\nsound" in sound.stdout
    upgraded = run(place / "bin" / "bb", "board", "upgrade", "--board", board, folder=tmp_path, **path)
    assert upgraded.returncode == 0, upgraded.stderr
