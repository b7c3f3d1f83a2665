"""Whatever rows of a damaged file can still be read, put into a plain one.

It is run as a script in a process of its own, with nothing but the standard library: it copies the file as bytes,
which in a process that has it open would drop SQLite's locks; and what reading a damaged file does to a process, it
does to this one. The damaged file and its log are read once and never written; SQLite sees the copy only.
"""

import contextlib
import json
import shutil
import sqlite3
import struct
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

MAGIC = b"SQLite format 3\0"
_HEADER = 100
_PAGE_BYTES = 4096
_GAP = 100_000
"""How many numbers are tried one by one where rows before and behind could be read."""

Row = tuple[Any, ...]


def main() -> None:
    """Do what the JSON on standard input says, and print what became of each table."""
    order = json.load(sys.stdin)
    source, folder = Path(order["source"]).resolve(), Path(order["folder"])
    copy = folder / "damaged.db"
    shutil.copyfile(source, copy)
    log = source.with_name(source.name + "-wal")
    if log.exists():
        shutil.copyfile(log, folder / "damaged.db-wal")
    _mend_header(copy)
    found = salvage(copy, folder / "rows.db", order["tables"])
    sys.stdout.write(json.dumps(found))


def _mend_header(copy: Path) -> None:
    """Give the copy's header what every board's has: a single byte there can hide all else."""
    content = bytearray(copy.read_bytes())
    if len(content) < _HEADER:
        return
    (page,) = struct.unpack_from(">H", content, 16)
    if page & (page - 1) or not (page == 1 or page >= 512):  # noqa: PLR2004 - the smallest page
        page = _PAGE_BYTES
    content[:24] = MAGIC + struct.pack(">H", page) + bytes((2, 2, 0, 64, 32, 32))
    # The count of pages is taken from the file's length where it is not vouched for; free pages are not asked for.
    content[28:40] = bytes(12)
    content[44:48] = struct.pack(">I", 4)
    content[52:60] = struct.pack(">II", 0, 1)
    content[92:96] = struct.pack(">I", (struct.unpack_from(">I", content, 24)[0] + 1) & 0xFFFFFFFF)
    copy.write_bytes(content)


def salvage(copy: Path, target: Path, tables: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Read what can be read of each table and write it to a new file.

    Args:
        copy: Of the damaged file.
        target: The new file.
        tables: Name -> columns, key (the columns that tell rows apart), and the number by which gaps are probed.

    Returns:
        Name -> rows, and errors met on the way.
    """
    damaged, made = sqlite3.connect(copy), sqlite3.connect(target)
    damaged.text_factory = lambda raw: raw.decode("utf-8", "replace")
    found: dict[str, Any] = {}
    try:
        made.execute("PRAGMA journal_mode = OFF")
        for name, wanted in tables.items():
            errors: list[str] = []
            rows = _table(damaged, name, wanted, errors)
            columns = wanted["columns"]
            made.execute(f"CREATE TABLE {name} ({', '.join(columns)})")
            made.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * len(columns))})", rows)
            made.execute(f"CREATE INDEX of_{name} ON {name} ({', '.join(wanted['key'])})")
            found[name] = {"rows": len(rows), "errors": errors[:5]}
        made.commit()
    finally:
        damaged.close()
        made.close()
    return found


def _table(on: sqlite3.Connection, name: str, wanted: dict[str, Any], errors: list[str]) -> Sequence[Row]:
    columns, key, number = wanted["columns"], wanted["key"], wanted["number"]
    there = _columns(on, name, errors)
    listed = ", ".join(column if column in there else f"NULL AS {column}" for column in columns)
    places = [columns.index(one) for one in key]
    kept: dict[Row, Row] = {}

    def take(tail: str, *values: object) -> tuple[int | None, bool]:
        """Keep what a query gives until it ends or fails; return the last number, and whether it ended."""
        last = None
        try:
            for row in on.execute(f"SELECT {listed}, {number} FROM {name} NOT INDEXED {tail}", values):
                last = row[-1] if isinstance(row[-1], int) else last
                kept.setdefault(tuple(row[place] for place in places), row[:-1])
        except (sqlite3.Error, OverflowError) as error:
            if str(error) not in errors:
                errors.append(str(error))
            return last, False
        return last, True

    if not there:
        return []
    order = [number, *(one for one in key if one != number)]
    first, ended = take(f"ORDER BY {', '.join(order)}")
    if ended:
        return list(kept.values())
    last, _ = take("ORDER BY " + ", ".join(f"{one} DESC" for one in order))
    low = first if first is not None else 0
    high = last if last is not None else low + _GAP
    for value in range(low, min(high, low + _GAP) + 1):
        take(f"WHERE {number} = ?", value)
    for named, index in wanted["covered"]:
        _from_index(on, name, index, named, columns, places, kept)
    return list(kept.values())


def _from_index(
    on: sqlite3.Connection,
    name: str,
    index: str,
    named: Sequence[str],
    columns: Sequence[str],
    places: Sequence[int],
    kept: dict[Row, Row],
) -> None:
    """Keep what an index says of rows that could not be read: the columns that it holds, the others unknown."""
    listed = ", ".join(column if column in named else f"NULL AS {column}" for column in columns)
    with contextlib.suppress(sqlite3.Error):
        for row in on.execute(f"SELECT {listed} FROM {name} INDEXED BY {index} ORDER BY {named[0]}"):
            kept.setdefault(tuple(row[place] for place in places), row)


def _columns(on: sqlite3.Connection, name: str, errors: list[str]) -> set[str]:
    try:
        return {row[1] for row in on.execute(f"PRAGMA table_info({name})")}
    except sqlite3.Error as error:
        errors.append(str(error))
        return set()


if __name__ == "__main__":
    main()
