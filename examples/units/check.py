"""Check the units program: run in a folder with its files, it calls the command as a user would."""

import subprocess
import sys

NAMES = (("km", "m", "kg"), ("kilometre", "metre", "kilogram"))


def call(*arguments: str) -> tuple[int, str]:
    """Return exit status and output of one call."""
    done = subprocess.run(  # noqa: S603 - our own file
        [sys.executable, "units.py", *arguments], capture_output=True, text=True, check=False, timeout=20
    )
    return done.returncode, done.stdout.strip()


def main() -> int:
    """Say what is wrong and return 1, or return 0."""
    answers = {names: call("3", names[0], names[1]) for names in NAMES}
    known = [names for names, answer in answers.items() if answer == (0, "3000.0")]
    if len(known) != 1:
        print(f"3 kilometres have to be 3000.0 metres under one way of naming: {answers}")
        return 1
    kilometre, _, kilogram = known[0]
    impossible = {pair: call("3", *pair) for pair in ((kilometre, kilogram), (kilometre, "cubit"))}
    if any(answer != (1, "") for answer in impossible.values()):
        print(f"what cannot be converted has to end with status 1 and print nothing: {impossible}")
        return 1
    if call()[0] != 2:  # noqa: PLR2004 - the usual status for a wrong call
        print("a call without arguments has to end with status 2")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
