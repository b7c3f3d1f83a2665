"""A byte changed anywhere in a small board: the doctor with a known head finds it, or nothing that is read changed."""

import multiprocessing
import random
import shutil
import sqlite3
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import fault_flips
import pytest

SHARED = Path("/dev/shm")  # noqa: S108 - a folder of this test's own is made in it
SAMPLE = 300
HEADER = {"": 100, "-wal": 32 + 24}


@pytest.fixture(scope="module")
def folder():
    """Return a folder in memory, where there is one: what is tested here is not the disk."""
    made = Path(tempfile.mkdtemp(dir=SHARED if SHARED.is_dir() else None))
    yield made
    shutil.rmtree(made)


@pytest.fixture(scope="module")
def boards(folder, given):
    """Return name -> board and its head: the small one with a log, with everything in its file, and compacted."""
    logged, settled, compacted = (folder / f"{name}.db" for name in ("logged", "settled", "compacted"))
    head = fault_flips.small_board(logged, given)
    fault_flips.settled(logged, settled)
    later = fault_flips.folded(settled, compacted)
    return {"logged": (logged, head), "settled": (settled, head), "compacted": (compacted, later)}


@pytest.mark.parametrize(("which", "without"), [("settled", ["compaction"]), ("compacted", [])])
def test_the_small_board_has_rows_in_every_table_of_the_spec(boards, which, without):
    raw = sqlite3.connect(boards[which][0])
    empty = [name for name in fault_flips.SPEC if not raw.execute(f"SELECT count(*) FROM {name}").fetchone()[0]]
    raw.close()
    assert empty == without


@pytest.mark.parametrize(("which", "suffix"), [("settled", ""), ("logged", ""), ("logged", "-wal"), ("compacted", "")])
def test_a_byte_changed_anywhere_is_found_or_changes_nothing_that_is_read(boards, folder, which, suffix, seed, length):
    place, head = boards[which]
    size = Path(f"{place}{suffix}").stat().st_size
    drawn = sorted({*range(HEADER[suffix]), *random.Random(seed).sample(range(size), min(size, SAMPLE))})
    offsets = length(drawn, list(range(size)))
    workers = length(1, 2)
    parts = [offsets[number::workers] for number in range(workers)]
    folders = [folder / f"{which}{suffix}{number}" for number in range(workers)]
    for one in folders:
        one.mkdir()
    if workers == 1:
        missed = fault_flips.unseen(folders[0], place, suffix, parts[0], head, seed)
    else:
        spawn = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(workers, mp_context=spawn) as pool:
            jobs = [
                pool.submit(fault_flips.unseen, at, place, suffix, part, head, seed)
                for at, part in zip(folders, parts, strict=True)
            ]
            missed = [one for job in jobs for one in job.result()]
    print(f"{which}{suffix}: {len(offsets)} of {size} offsets, {len(missed)} of them missed")  # noqa: T201 - the figures
    assert missed == []


def test_a_doctor_without_a_known_head_is_caught(boards, folder, monkeypatch):
    """The broken subject: it asks for no head, so a lost end is no loss to it."""
    place, head = boards["logged"]
    log = Path(f"{place}-wal")
    offsets = [log.stat().st_size - 100]
    (folder / "known").mkdir()
    assert fault_flips.unseen(folder / "known", place, "-wal", offsets, head, 1) == []
    examine = fault_flips.doctor.examine
    monkeypatch.setattr(
        fault_flips.doctor, "examine", lambda *given, **named: examine(*given, **{**named, "known_head": None})
    )
    (folder / "unknown").mkdir()
    assert len(fault_flips.unseen(folder / "unknown", place, "-wal", offsets, head, 1)) == 1
