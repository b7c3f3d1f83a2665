"""Another distribution that installs a package named `blackboard` is noticed, and nothing else is."""

import sys
from importlib.metadata import distributions
from pathlib import Path

import pytest

from blackboard.cli import main
from blackboard.cli.rivals import RIVALS, rivals, warning


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Return a way to install a distribution that consists of its name."""
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])

    def install(name: str) -> None:
        folder = Path(tmp_path) / f"{name.replace('-', '_')}-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")

    return install


def test_alone_there_is_nothing_to_say():
    assert {one.metadata["Name"] for one in distributions()} & set(RIVALS) == set()
    assert rivals() == ()
    assert warning() == ""


@pytest.mark.parametrize("name", RIVALS)
def test_one_beside_us_is_named_with_what_to_do(installed, name):
    installed(name)
    assert rivals() == (name,)
    assert name in warning()
    assert "reinstall" in warning()


def test_a_package_with_a_longer_name_is_none_of_them(installed):
    installed("blackboardx-extras")
    assert rivals() == ()


def test_the_command_says_so_and_goes_on(installed, monkeypatch, capsys):
    installed(RIVALS[0])
    monkeypatch.setattr(sys, "argv", ["bb", "--help"])
    with pytest.raises(SystemExit) as ended:
        main.run()
    shown = capsys.readouterr()
    assert ended.value.code == 0
    assert RIVALS[0] in shown.err
    assert "Usage" in shown.out
