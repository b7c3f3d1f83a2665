"""L2, S1: many processes that write at once all get their answers; how long they wait and how even it is is printed."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import fault_contenders

from blackboard import Blackboard

CONTENDERS = Path(fault_contenders.__file__)


def jain(shares):
    """Return Jain's index of fairness: 1 where all have the same, 1/n where one has everything."""
    return sum(shares) ** 2 / (len(shares) * sum(share**2 for share in shares))


def test_many_processes_write_and_each_is_answered(location, length, tmp_path):
    processes, seconds = length(16, 64), length(2, 30)
    Blackboard.open(location, create=True).close()
    log = tmp_path / "log"
    command = [sys.executable, CONTENDERS, location, str(processes), str(seconds), log]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as group:
        try:
            said = group.communicate(timeout=length(120, 600))[1]
        except subprocess.TimeoutExpired:
            os.killpg(group.pid, signal.SIGKILL)
            raise
    assert (group.returncode, said) == (0, "")
    accounts = [json.loads(line) for line in log.read_text().splitlines()]
    assert len(accounts) == processes
    told = sorted(revision for account in accounts for revision in account["revisions"])
    rates = [account["committed"] / account["seconds"] for account in accounts]
    print(  # noqa: T201 - the figures of the run
        f"{processes} processes: {len(told)} committed, {sum(account['refused'] for account in accounts)} refused, "
        f"{sum(rates):.0f} commits/s, worst wait {max(account['worst'] for account in accounts):.2f} s, "
        f"slowest/fastest {min(rates) / max(rates):.2f}, Jain {jain(rates):.3f}"
    )
    with Blackboard.open(location) as board:
        assert told == list(range(1, board.revision + 1))
        authors = {change.revision: change.author for change in board.changes(after=0)}
        for account in accounts:
            assert {authors[revision] for revision in account["revisions"]} == {f"process-{account['number']}"}
        assert board.verify().revision == board.revision


def test_the_index_of_fairness_tells_even_from_uneven():
    assert jain([3, 3, 3]) == 1
    assert jain([9, 0, 0]) == 1 / 3
