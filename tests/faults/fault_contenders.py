"""Many processes that write at once, each forked from one that has everything imported.

`fault_contenders.py LOCATION PROCESSES SECONDS LOG`. A line of the log is one process's account as JSON: how many of
its commits were `committed` and `refused`, its longest wait for an answer and the time it took, in seconds, and the
revisions that it was told.
"""

import json
import os
import random
import sys
import time
import traceback

from blackboard import Blackboard, Conflict, Contract, Reserved


def contend(location, number, seconds, begin):
    """Commit until the time is over, now and then something that others also amend; return the account."""
    draw = random.Random(number)
    account = {"number": number, "committed": 0, "refused": 0, "worst": 0.0, "revisions": []}
    with Blackboard.open(location) as board:
        os.read(begin, 1)
        began = time.monotonic()
        tries = 0
        while time.monotonic() < began + seconds or not account["committed"]:
            tries += 1
            contested = draw.random() < 0.2
            key = "contested/one" if contested else f"own/{number}/{tries % 10}"
            transaction = board.transaction(f"process-{number}", role="operator")
            transaction.decision(key)
            transaction.decide(key, Contract.value(f"{number} {tries}"))
            asked = time.monotonic()
            try:
                account["revisions"].append(transaction.commit().revision)
                account["committed"] += 1
            except Conflict:
                account["refused"] += 1
            except Reserved as reserved:
                account["refused"] += 1
                time.sleep(min(reserved.expires_in_seconds, 0.01))
            account["worst"] = max(account["worst"], time.monotonic() - asked)
        account["seconds"] = time.monotonic() - began
    return account


def main(location, processes, seconds, log):
    place = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    waiting, begin = os.pipe()
    children = []
    for number in range(int(processes)):
        child = os.fork()
        if child:
            children.append(child)
            continue
        try:
            os.close(begin)
            account = contend(location, number, float(seconds), waiting)
            os.write(place, (json.dumps(account) + "\n").encode())
        except BaseException:  # noqa: BLE001 - a forked child ends here, whatever it was
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    # Whoever is late begins at once: the end of the pipe is read as often as one likes.
    os.close(begin)
    sys.exit(max(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children))


if __name__ == "__main__":
    main(*sys.argv[1:])
