"""What tests of the tickets share."""

import struct
import threading
import time
from pathlib import Path


def wait_for_ticket(location, number):
    """Wait until so many tickets were given out."""
    gate, end = threading.Event(), time.monotonic() + 30
    while struct.unpack_from("q", Path(f"{location}-queue").read_bytes())[0] < number:
        assert time.monotonic() < end, "nobody took it"
        gate.wait(0.001)
