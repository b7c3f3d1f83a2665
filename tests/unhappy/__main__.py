"""`PYTHONPATH=tests python -m unhappy [--json] [NAME …]`: play the cases and print how each went."""

import argparse
import json
import sys

from . import CASES, Played, play


def main() -> None:
    """Play the cases whose names contain one of the arguments, all of them without any, and print a table or JSON."""
    parser = argparse.ArgumentParser(prog="python -m unhappy", description=__doc__)
    parser.add_argument("--json", action="store_true", help="a list of objects")
    parser.add_argument("--why", action="store_true", help="with what the outcome says is left")
    parser.add_argument("names", nargs="*", metavar="NAME", help="a part of a case's name")
    options = parser.parse_args()
    chosen = [case for case in CASES if not options.names or any(name in case.name for name in options.names)]
    played = (play(case) for case in chosen)
    if options.json:
        sys.stdout.write(json.dumps([one.row for one in played], indent=1) + "\n")
        return
    sys.stdout.write(_HEAD)
    for one in played:
        sys.stdout.write(_line(one) + (f"    {one.why}\n" if options.why else ""))
        sys.stdout.flush()


_HEAD = f"{'case':40} {'calls':>5} {'in':>8} {'out':>8} {'money':>9} {'outcome':17} {'error':16} seconds\n"


def _line(one: Played) -> str:
    numbers = f"{one.calls:5} {one.input_tokens:8} {one.output_tokens:8} {one.money:9.6f}"
    return f"{one.name:40} {numbers} {one.outcome:17} {one.error:16} {one.seconds:7.2f}\n"


if __name__ == "__main__":
    main()
