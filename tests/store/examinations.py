"""What tests of the doctor share: how a board is examined, and how one is damaged."""

import sqlite3
import time
from pathlib import Path

from blackboard.store import doctor
from blackboard.store.surroundings import Level

PAGE, FRAME = 4096, 4096 + 24


def examine(place, **asked):
    return doctor.examine(Path(place), clock=time.time, **asked)


def faults(place, **asked):
    return [one.about for one in examine(place, **asked).level(Level.FAULT, Level.UNSEEN)]


def sound(place, head):
    """Say whether a board is sound in every respect, with this head."""
    return faults(place, full=True, known_head=head) == []


def log_of(place):
    return place.with_name(place.name + "-wal")


def changed(path, offset, mask=0x01):
    content = bytearray(path.read_bytes())
    content[offset] ^= mask
    path.write_bytes(content)


def write(place, *statements):
    raw = sqlite3.connect(place)
    for statement in statements:
        raw.execute(statement)
    raw.commit()
    raw.close()
