"""A command that runs tests and ran none is no pass; how many ran is read from a report."""

import sys

import pytest

from blackboard.control.check import Check
from blackboard.control.checks import log_of, passes
from blackboard.control.counted import counting, counts_tests, ran_tests
from blackboard.control.sandbox import Limits, Sandbox

UNITTEST = ("python", "-m", "unittest", "discover")
_PLUGINS = ("cacheprovider", "hypothesispytest", "xdist", "benchmark", "anyio", "cov")
PYTEST = ("python", "-m", "pytest", "-q", *(word for name in _PLUGINS for word in ("-p", f"no:{name}")))

RUNS = "import unittest\nclass T(unittest.TestCase):\n    def test_a(self): pass\n"
FAILS = RUNS.replace("pass", "self.fail('no')")
SKIPS = RUNS.replace("    def", "    @unittest.skip('later')\n    def")
SOME_SKIPPED = SKIPS + "    def test_b(self): pass\n"


def judged(command, files):
    check = Check("unit", on="**", command=command)
    argv = counting(command)
    argv = [sys.executable, *argv[1:]] if argv[0] == "python" else argv
    result = Sandbox("plain", Limits()).run(argv, files)
    return passes(result, check), log_of(result, check)


@pytest.mark.parametrize("command", [UNITTEST, PYTEST])
def test_a_run_of_no_test_is_no_pass_and_the_log_says_so(command):
    passed, log = judged(command, {"words.py": "def count(): return 0\n"})
    assert not passed
    assert "[no test ran]" in log.splitlines()


@pytest.mark.parametrize(("command", "text", "passes", "none_ran"), [
    (UNITTEST, RUNS, True, False), (UNITTEST, FAILS, False, False), (UNITTEST, SKIPS, False, True),
    (UNITTEST, SOME_SKIPPED, True, False), (PYTEST, SKIPS, False, True), (PYTEST, SOME_SKIPPED, True, False),
])  # fmt: skip
def test_what_ran_decides_and_a_skipped_test_did_not_run(command, text, passes, none_ran):
    passed, log = judged(command, {"test_words.py": text})
    assert passed is passes
    assert ("[no test ran]" in log) is none_ran


def test_a_module_that_cannot_be_imported_fails_and_is_not_called_a_run_of_no_tests():
    passed, log = judged(UNITTEST, {"test_words.py": "import nowhere\n"})
    assert not passed
    assert "No module named 'nowhere'" in log


def test_other_commands_are_judged_by_their_exit_status():
    assert judged(("python", "-c", "pass"), {})[0]
    assert not counts_tests(("python", "test_words.py"))
    assert not counts_tests(("sh", "-c", "python -m unittest"))
    assert counts_tests(("pytest", "-q"))
    assert counts_tests(("/usr/bin/python3.11", "-m", "unittest"))
    assert counts_tests(("python", "-B", "-W", "error", "-Xdev", "-m", "pytest"))
    assert not counts_tests(("python", "-B", "-c", "import unittest", "-m", "unittest"))
    assert not counts_tests(("python", "-m"))


def test_the_report_is_read_by_its_counts_and_nothing_else_is_a_report():
    assert ran_tests(b'<testsuites><testsuite name="x tests=9" errors="0" skipped="2" tests="5"/></testsuites>') == 3
    assert ran_tests(b"7") == 7
    assert ran_tests(b"") == ran_tests(b"what ran: 9") == 0


def test_a_report_is_a_file_and_no_link(tmp_path):
    (tmp_path / "secret").write_text("9")
    link = f"import os; os.symlink({str(tmp_path / 'secret')!r}, '../report')"
    assert Sandbox("plain", Limits()).run([sys.executable, "-c", link], {}).report == b""
