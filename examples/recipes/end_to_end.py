"""Check an exported program against the decisions: `python end_to_end.py DIR`.

This script is independent of the team and names no table: it reads the tables and the answers to the questions from the
decisions that were exported with the program (`DIR/.spec/decisions.json`). SQLite with the decided schema determines
which rows are allowed. For each table the program has to store, list, show, replace and remove rows, over HTTP and on
the command line, with its own database and on a free port of the loopback interface; after a restart it has to have the
same rows. Its own tests have to pass, and there has to be at least one.

Prints each check. The exit status is 0 if all pass, 1 if not, 2 if there is no program or no decision.
"""

import argparse
import datetime as dt
import itertools
import json
import re
import sqlite3
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ALL_SECONDS = 90.0
ROWS = 25
"""More than a page holds."""
MOST_TRIES = 20_000
TEXT = "Crème brûlée <b> & 'so'"


@dataclass
class Table:
    """A table as SQLite describes it: column -> (type, may be null); column -> table that it refers to."""

    name: str
    key: str
    columns: dict[str, tuple[str, bool]]
    refers: dict[str, str]


@dataclass
class Decided:
    """What was decided: a database with the decided tables, the tables in the order of their references, answers."""

    db: sqlite3.Connection
    answers: dict[str, str]
    tables: list[Table] = field(default_factory=list)
    schema: str = ""

    @classmethod
    def read(cls, decisions: Mapping[str, Any]) -> "Decided":
        """Read it from the exported decisions.

        Raises:
            LookupError: A decision is missing.
        """
        schema = decisions["db/schema"]["text"]
        db = sqlite3.connect(":memory:")
        db.executescript(schema)
        keys = ("api/ids", "api/id_maker", "api/dates", "api/list", "api/errors")
        answers = {key: next(iter(decisions[key]["value"].values())) for key in keys}
        names = [name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        found = {name: described(db, name) for name in names}
        ordered: list[Table] = []
        while len(ordered) < len(found):
            known = {one.name for one in ordered}
            ordered += [
                one for one in found.values() if one.name not in known and {*one.refers.values()} <= known | {one.name}
            ]
        return cls(db, answers, ordered, schema)

    def json(self, table: Table, column: str, value: Any) -> Any:  # noqa: ANN401 - any JSON
        """Return a value of a column as the API was decided to write it."""
        kind = table.columns[column][0]
        if value is None:
            return None
        if kind == "BOOLEAN":
            return bool(value)
        if kind in ("DATE", "TIMESTAMP") and self.answers["api/dates"] == "unix":
            return int(dt.datetime.fromisoformat(value).replace(tzinfo=dt.UTC).timestamp())
        return value

    def row(self, table: Table, number: int, kept: Mapping[str, list[Any]]) -> dict[str, Any]:
        """Return a row that SQLite accepts: column -> JSON value. Rows of different numbers differ where they can.

        Args:
            kept: Table -> keys of rows that the program has.
        """
        choices = [self._choices(table, column, number, kept) for column in table.columns]
        names, marks = ", ".join(table.columns), ", ".join("?" * len(table.columns))
        for values in itertools.islice(itertools.product(*choices), MOST_TRIES):
            try:
                self.db.execute(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", values)
            except sqlite3.IntegrityError:
                continue
            row = dict(zip(table.columns, values, strict=True))
            return {column: self.json(table, column, value) for column, value in row.items()}
        raise AssertionError(f"no row was found that SQLite accepts in {table.name}")

    def _choices(self, table: Table, column: str, number: int, kept: Mapping[str, list[Any]]) -> list[Any]:
        kind, nullable = table.columns[column]
        if column in table.refers:
            rows = kept.get(table.refers[column], [])
            return [*rows[number % len(rows) :][:1], *([None] if nullable else [])] if rows else [None]
        if column == table.key:
            return [self.new_key(table, number)]
        day = f"2026-02-{number % 28 + 1:02}"
        plain = {"DATE": day, "TIMESTAMP": f"{day}T08:30:00", "BOOLEAN": number % 2}
        return [plain[kind]] if kind in plain else self._texts_or_numbers(kind, number)

    def _texts_or_numbers(self, kind: str, number: int) -> list[Any]:
        """Return a plain value first, then the literals of the schema's checks, and numbers next to them."""
        longest = int(found[1]) if (found := re.search(r"CHAR\((\d+)\)", kind)) else 1_000
        mentioned = [float(one) for one in re.findall(r"\b\d+(?:\.\d+)?\b", self.schema)]
        if re.match("TEXT|.*CHAR|UUID", kind):
            quoted = re.findall(r"'([^']*)'", self.schema)
            return [f"{TEXT} {number}"[-longest:], *quoted, *("x" * int(one) for one in mentioned if one < longest)]
        nearby = [one + step for one in mentioned for step in (0, 1, -1)]
        return [number + 1, *map(int, nearby)] if "INT" in kind else [number + 0.5, *nearby]

    def new_key(self, table: Table, number: int) -> Any:  # noqa: ANN401 - a number or a text
        """Return a key that no row has yet."""
        return 1_000 + number if "INT" in table.columns[table.key][0] else str(uuid.UUID(int=1_000 + number))

    def made_by_server(self, table: Table) -> bool:
        """Say whether the program makes the keys of a table: it can make only numbers and UUIDs."""
        makes = re.match("TEXT|.*CHAR|UUID|.*INT", table.columns[table.key][0]) and table.key not in table.refers
        return bool(makes) and self.answers["api/id_maker"] == "server"


def described(db: sqlite3.Connection, name: str) -> Table:
    """Return what SQLite says about a table."""
    rows = db.execute(f"PRAGMA table_info({name})").fetchall()
    columns = {column: (kind.upper(), not (required or key)) for _, column, kind, required, _, key in rows}
    (key,) = [column for _, column, _, _, _, key in rows if key]
    foreign = db.execute(f"PRAGMA foreign_key_list({name})").fetchall()
    return Table(name, key, columns, {one[3]: one[2] for one in foreign})


# ---- the program from outside ----------------------------------------------------------------------------------------


@dataclass
class Program:
    """The exported program, its database and where it listens."""

    folder: Path
    database: Path
    url: str = ""

    def http(self, method: str, target: str, value: Any = None) -> tuple[int, Any]:  # noqa: ANN401 - any JSON
        """Send one request and return status and JSON value."""
        content = None if value is None else json.dumps(value).encode()
        request = urllib.request.Request(self.url + target, content, method=method)  # noqa: S310 - our own loopback URL
        try:
            with urllib.request.urlopen(request, timeout=20) as response:  # noqa: S310
                status, text = response.status, response.read()
        except urllib.error.HTTPError as error:
            with error:
                status, text = error.code, error.read()
        return status, json.loads(text) if text else None

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run the program's Python with arguments."""
        command = [sys.executable, "-B", *arguments]
        return subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603

    def command(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run a command of the program on its database."""
        return self.run("app.py", "--database", str(self.database), *arguments)

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Run the server during the block, and end it also after an error."""
        command = [sys.executable, "-B", "app.py", "--database", str(self.database), "http-server", "--port", "0"]
        with subprocess.Popen(command, cwd=self.folder, stdout=subprocess.PIPE, text=True) as started:  # noqa: S603
            too_late = threading.Timer(ALL_SECONDS, started.kill)
            too_late.start()
            try:
                line = next(iter(started.stdout or ()), "")
                hold(f"it says where it listens, not {line!r}", line.startswith("http://127.0.0.1:"))
                self.url = line.strip().rstrip("/")
                yield
            finally:
                too_late.cancel()
                started.kill()


def hold(what: str, condition: object) -> None:
    """Fail unless a condition holds.

    Raises:
        AssertionError: It does not.
    """
    if not condition:
        raise AssertionError(f"it is not so that {what}")


def expect(found: object, wanted: object, what: str) -> None:
    """Fail unless two values are equal.

    Raises:
        AssertionError: They are not.
    """
    hold(f"{what} is {wanted!r}; it is {found!r}", found == wanted)


# ---- what is checked -------------------------------------------------------------------------------------------------


def check_itself(program: Program) -> None:
    """Its entry point answers, and its own tests pass."""
    expect(program.run("app.py", "--help").returncode, 0, "the status of --help")
    tested = program.run("-m", "unittest", "discover")
    expect(tested.returncode, 0, f"the status of its tests, which say {tested.stderr[-300:]}")
    hold("it has tests", re.search(r"^Ran [1-9]\d* test", tested.stderr, re.MULTILINE))


def check_table(program: Program, decided: Decided, table: Table, kept: dict[str, list[Any]]) -> None:
    """Rows of a table are kept, listed, shown, replaced and removed, and what is no row is refused."""
    here, server = f"/{table.name}", decided.made_by_server(table)
    rows = []
    for number in range(ROWS):
        row = decided.row(table, number, kept)
        sent = {column: value for column, value in row.items() if not (server and column == table.key)}
        status, added = program.http("POST", here, sent)
        expect(status, 201, f"the status of adding {sent} to {table.name}, which says {added}")
        expect(added, row | {table.key: added[table.key]} if server else row, "the row that was added")
        if server and "INT" not in table.columns[table.key][0]:
            expect(str(uuid.UUID(added[table.key])), added[table.key], "the spelling of a key")
        rows.append(added)
    kept[table.name] = [row[table.key] for row in rows]
    expect(len(set(kept[table.name])), ROWS, "how many keys there are")
    listed = everything(program, decided, table)
    expect(sorted(map(str, listed)), sorted(map(str, rows)), f"the list of {table.name}")
    with closing(sqlite3.connect(program.database)) as db:
        expect(db.execute(f"SELECT count(*) FROM {table.name}").fetchone(), (ROWS,), "what the database holds")
    one, other = f"{here}/{rows[0][table.key]}", {**rows[1]}
    del other[table.key]
    expect(program.http("GET", one), (200, rows[0]), "the row that is shown")
    check_refusals(program, decided, table, rows[0])
    check_command_line(program, table, rows[0])
    if _is_free(decided, table):
        expect(program.http("PUT", one, other), (200, rows[0] | other), "the row that was replaced")
        expect(program.http("GET", one), (200, rows[0] | other), "the row afterwards")
    check_removal(program, decided, table, rows[-1])
    kept[table.name].pop()


def _is_free(decided: Decided, table: Table) -> bool:
    """Say whether two rows may differ in nothing but the key."""
    unique = decided.db.execute(f"PRAGMA index_list({table.name})").fetchall()
    return not any(is_unique and origin != "pk" for _, _, is_unique, origin, _ in unique)


def check_refusals(program: Program, decided: Decided, table: Table, row: Mapping[str, Any]) -> None:
    """What is no row, and what is not there, is refused in the decided shape."""
    here, server = f"/{table.name}", decided.made_by_server(table)
    plain = {column: value for column, value in row.items() if column != table.key}
    again = plain if server else dict(row)
    wrong = [("POST", here, again | {"no_such_column": 1}, 400), ("POST", here, ["no row"], 400)]
    wrong += [("POST", here, dict(row) if server else plain, 400), ("PUT", here, {}, 405)]
    for column, (kind, nullable) in table.columns.items():
        if column != table.key and kind != "BOOLEAN":
            wrong += [("POST", here, again | {column: {"a": 1}}, 400)]
        if column != table.key and not nullable:
            wrong += [("POST", here, again | {column: None}, 400)]
    absent = decided.new_key(table, 500)
    wrong += [("GET", f"{here}/{absent}", None, 404), ("DELETE", f"{here}/{absent}", None, 404)]
    for method, target, value, status in wrong:
        found, said = program.http(method, target, value)
        expect(found, status, f"the status of {method} {target} {value}, which says {said}")
        if decided.answers["api/errors"] == "text":
            hold(f"{said} is an error of one text", set(said) == {"error"} and isinstance(said["error"], str))
        else:
            hold(f"{said} lists errors", {"code", "message"} == set(said["errors"][0]))


def check_command_line(program: Program, table: Table, row: Mapping[str, Any]) -> None:
    """The command line lists and shows what the API shows."""
    listed = program.command(table.name, "list")
    expect(listed.returncode, 0, f"the status of the list of {table.name}, which says {listed.stderr}")
    expect(len(listed.stdout.splitlines()), ROWS, "the number of lines")
    shown = program.command(table.name, "show", str(row[table.key]))
    expect((shown.returncode, json.loads(shown.stdout or "null")), (0, row), "the row on the command line")
    missing = program.command(table.name, "show", "987654")
    expect(
        (missing.returncode, missing.stderr.startswith("error: ")), (1, True), "the answer about a row that is absent"
    )


def check_removal(program: Program, decided: Decided, table: Table, row: Mapping[str, Any]) -> None:
    """A row that nothing refers to is removed, and then it is not there."""
    target = f"/{table.name}/{row[table.key]}"
    if table.name in table.refers.values():
        return
    expect(program.http("DELETE", target), (204, None), "the answer to removing")
    expect(program.http("GET", target)[0], 404, "the status afterwards")
    expect(len(everything(program, decided, table)), ROWS - 1, "the rows that are left")


def everything(program: Program, decided: Decided, table: Table) -> list[Any]:
    """Return all rows of a table, read as the list was decided to be."""
    target: str | None = f"/{table.name}"
    rows: list[Any] = []
    while target is not None:
        status, value = program.http("GET", target)
        expect(status, 200, f"the status of {target}")
        if decided.answers["api/list"] == "list":
            hold(f"{value} is a list", isinstance(value, list))
            return list(value)
        rows += value["rows"]
        hold(f"the total of {target} counts all", value["total"] >= len(rows))
        target = value["next"]
        hold("the pages end", len(rows) <= ROWS)
    return rows


def run(folder: Path, decisions: Mapping[str, Any]) -> list[str]:
    """Check a program against exported decisions, and return what does not hold.

    Raises:
        LookupError: A decision is missing.
    """
    decided, faults, kept = Decided.read(decisions), [], dict[str, list[Any]]()
    with closing(decided.db), tempfile.TemporaryDirectory(prefix="recipes-") as temporary:
        program = Program(folder.resolve(), Path(temporary) / "app.db")

        def tried(name: str, function: Any, *arguments: Any) -> None:  # noqa: ANN401 - a check and what it takes
            try:
                function(program, *arguments)
            except Exception as error:  # noqa: BLE001 - whatever a broken program causes is a failure of the check
                faults.append(f"{name}: {type(error).__name__}: {error}")
            print(f"{'FAILED ' if faults and faults[-1].startswith(name + ':') else 'ok     '} {name}")

        tried("it starts, and its own tests pass", check_itself)
        try:
            with program.serving():
                for table in decided.tables:
                    tried(f"rows of {table.name} are kept as decided", check_table, decided, table, kept)
                before = {table.name: everything(program, decided, table) for table in decided.tables}
            with program.serving():
                after = {table.name: everything(program, decided, table) for table in decided.tables}
            expect(after, before, "what it has when it is started again")
        except (AssertionError, OSError) as error:
            faults.append(f"it serves: {error}")
    return faults


def main(arguments: list[str] | None = None) -> int:
    """Check one program."""
    parser = argparse.ArgumentParser(description="Check an exported program against what was decided.")
    parser.add_argument("folder", metavar="DIR", type=Path)
    folder = parser.parse_args(arguments).folder
    said = folder / ".spec" / "decisions.json"
    try:
        faults = run(folder, json.loads(said.read_text("utf-8")))
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        print(f"{said} does not say what was decided: {type(error).__name__}: {error}", file=sys.stderr)
        return 2
    print("\n".join(faults) if faults else "all checks hold")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
