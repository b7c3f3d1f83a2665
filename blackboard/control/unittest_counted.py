"""Runs `python -m unittest` and writes how many tests ran; its text is started in the sandbox, it is not imported.

A test ran if it succeeded or failed. `testsRun` of unittest counts skipped ones too, in some versions of Python.
"""

import sys
import unittest
from pathlib import Path
from typing import Any

ran: list[str] = []


class Counted(unittest.TextTestResult):
    """Notes each test that succeeded or failed."""

    def addSuccess(self, test: unittest.TestCase) -> None:  # noqa: N802 -- the name is unittest's
        """Note a test that succeeded."""
        ran.append(str(test))
        super().addSuccess(test)

    def addFailure(self, test: unittest.TestCase, err: Any) -> None:  # noqa: ANN401, N802 -- unittest's signature
        """Note a test that failed."""
        ran.append(str(test))
        super().addFailure(test, err)

    def addError(self, test: unittest.TestCase, err: Any) -> None:  # noqa: ANN401, N802
        """Note a test that ended by an error."""
        ran.append(str(test))
        super().addError(test, err)

    def addExpectedFailure(self, test: unittest.TestCase, err: Any) -> None:  # noqa: ANN401, N802
        """Note a test that failed as it was meant to."""
        ran.append(str(test))
        super().addExpectedFailure(test, err)

    def addUnexpectedSuccess(self, test: unittest.TestCase) -> None:  # noqa: N802
        """Note a test that was meant to fail."""
        ran.append(str(test))
        super().addUnexpectedSuccess(test)


class Runner(unittest.TextTestRunner):
    """Runs tests with results that are counted."""

    resultclass = Counted  # type: ignore[assignment]


if __name__ == "__main__":
    report = Path(sys.argv.pop(1)).resolve()
    sys.argv[0] = "python -m unittest"
    program = unittest.main(module=None, testRunner=Runner, exit=False)
    report.write_text(str(len(ran)), encoding="utf-8")
    sys.exit(not program.result.wasSuccessful())
