"""What tests of the tickets share."""

import struct
import threading
from pathlib import Path


def wait_for_ticket(location, number):
    """Wait until so many tickets were given out."""
    gate = threading.Event()
    while struct.unpack_from("q", Path(f"{location}-queue").read_bytes())[0] < number:
        gate.wait(0.001)
