"""Paths of components' files: which are malformed, and which are not written to a folder unasked."""

import pytest

from blackboard import Invalid, InvalidPath, export_refusal
from blackboard.spec.files import check_path, check_tree


@pytest.mark.parametrize("path", ["a.py", "shop/views/main.py", "notes.txt", "café.md", "a" * 255, ".gitignore"])
def test_a_plain_relative_path_is_accepted(path):
    assert check_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/etc/passwd",
        "../a",
        "a/../b",
        "a//b",
        "a\\b",
        "a\nb",
        "a\x1b[31mb",
        "a\u202eb",
        ".git/config",
        "web/.GIT/hooks/pre-commit",
        ".spec/decisions.json",
        "cafe\u0301.md",
        "a" * 256,
        "é" * 128,
        "/".join(["abc"] * 300),
        b"a.py",
        None,
    ],
)
def test_a_malformed_path_is_refused_by_one_typed_error(path):
    with pytest.raises(InvalidPath) as caught:
        check_path(path)
    assert isinstance(caught.value, Invalid)
    assert caught.value.why
    assert str(caught.value).endswith(caught.value.step)
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize(
    "paths",
    [["A.py", "a.py"], ["Shop/a.py", "shop/b.py"], ["straße", "STRASSE"], ["a", "a/b"], ["web/a/b", "web/a"]],
)
def test_paths_that_cannot_exist_together_everywhere_are_refused(paths):
    with pytest.raises(InvalidPath):
        check_tree(paths)


def test_files_in_the_same_folders_exist_together():
    check_tree(["shop/a.py", "shop/b.py", "shop/c/a.py", "a.py"])


@pytest.mark.parametrize(
    "path",
    [
        ".env",
        "web/.env",
        ".github/workflows/x.yml",
        "conftest.py",
        "tests/Conftest.py",
        "team.py",
        "lib/evil.pth",
        "sitecustomize.py",
        "setup.py",
        "Makefile",
        "pyproject.toml",
        "tox.ini",
        "package.json",
        "AGENTS.md",
        "lib/sitecustomize/__init__.py",
        "usercustomize.cpython-311-x86_64-linux-gnu.so",
        "mypy.ini",
        "vite.config.ts",
        "CMakeLists.txt",
        "build.gradle.kts",
        "jupyter_server_config.py",
        "Jenkinsfile",
    ],
)
def test_what_tools_run_or_read_unasked_is_written_only_if_it_is_allowed_by_name(path):
    assert export_refusal(path)
    assert export_refusal(path, [path]) is None
    assert export_refusal(path, ["other.py"])


def test_a_name_allows_files_of_that_name_but_none_in_a_folder_that_tools_read():
    assert export_refusal("tests/conftest.py", ["conftest.py"]) is None
    assert export_refusal(".cargo/config.toml", ["config.toml"])
    assert export_refusal("sitecustomize/__init__.py", ["__init__.py"])


@pytest.mark.parametrize("path", [".git/config", ".spec/files.json", "../a", "cafe\u0301.md"])
def test_what_is_malformed_is_not_written_even_if_it_is_allowed(path):
    assert export_refusal(path, [path])


@pytest.mark.parametrize("path", ["shop/app.py", "README.md", "tests/test_app.py", "data/rows.json", "main.py"])
def test_an_ordinary_file_needs_no_permission(path):
    assert export_refusal(path) is None
