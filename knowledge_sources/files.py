"""Synchronise a folder and a board: new versions of components are written to the folder, edits there are committed.

Each file has three texts: the one in the folder, the one on the board, and the one that both had last (the base, kept
in `.in-step.json` so that it survives a stop). A text that differs from the base is new. If both do, the file gets the
board's text, and the folder's text is kept as `NAME.conflict-DIGEST`, so that no edit is lost. A file
that was in the folder before both had the same text is never replaced.

Invariants: a file is replaced atomically. A text that this module wrote equals the board's, so it is no edit and causes
no commit. Only files of components, and those that a task names, are read.
"""

import hashlib
import json
import os
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from tempfile import NamedTemporaryFile
from types import TracebackType
from typing import Self

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

from blackboard import (
    Blackboard,
    BlackboardError,
    Component,
    Conflict,
    Invalid,
    Refused,
    Reserved,
    Snapshot,
    Transaction,
    export_refusal,
)
from knowledge_sources.reading import TASK, Reading, Task

BASE_FILE = ".in-step.json"

_TRIES = 5
_WATCH_SECONDS = 0.5
_DIGITS = 8


class Step(StrEnum):
    """The action that synchronises one file."""

    NOTHING = "nothing"
    PULL = "pull"
    PUSH = "push"
    PART = "part"


def step(folder: str | None, base: str | None, board: str | None) -> Step:
    """Return the action that synchronises a file, from the digests of its three texts (None: there is none)."""
    if folder == board:
        return Step.NOTHING
    if folder == base:
        return Step.PULL
    return Step.PUSH if board == base else Step.PART


class _Moved(Exception):
    """The board or the folder changed between the read and the write."""


@dataclass(slots=True)
class _Held:
    """A file on the board."""

    component: str
    content: bytes | None


class Folder:
    """A folder that is synchronised with a board while this runs; a context manager.

    Attributes:
        path: The folder; it is made if it does not exist.
        troubles: path -> why this file is not synchronised. A refused edit is tried again after the next edit.
    """

    def __init__(
        self,
        board: Blackboard,
        path: Path | str,
        *,
        author: str,
        role: str | None = None,
        pattern: str = "**",
        settle_seconds: float = 0.1,
        report: Callable[[str], None] | None = None,
        allow: Collection[str] = (),
    ) -> None:
        """Prepare the synchronisation; `start` begins it.

        Args:
            board: The board.
            path: The folder.
            author: The author of commits of edits.
            role: The author's role; None: the only one that the author has.
            pattern: The components of the folder.
            settle_seconds: The time without a change after which an edit is read, so that no half-saved file is.
            report: Called with a sentence for a person.
            allow: Paths or names of files to synchronise although tools run them, or their names begin with a dot;
                in a folder whose name does, the path.
        """
        self.path = Path(path).absolute()
        self.troubles: dict[str, str] = {}
        self._board, self._author, self._role, self._pattern = board, author, role, pattern
        self._settle_seconds, self._report = settle_seconds, report or (lambda _: None)
        self._allowed = frozenset(allow)
        self._refused: dict[str, str | None] = {}
        self._wake, self._stopping = threading.Event(), threading.Event()
        self._threads: list[threading.Thread] = []
        self._observer = Observer()

    def start(self) -> None:
        """Synchronise the folder, and keep it synchronised until `stop`."""
        self.path.mkdir(parents=True, exist_ok=True)
        after = self._board.revision
        self._observer.schedule(_Listener(self._wake), str(self.path), recursive=True)
        self._observer.start()
        self.sync()
        self._threads = [
            threading.Thread(target=self._follow_board, args=(after,), name="folder-board", daemon=True),
            threading.Thread(target=self._follow_folder, name="folder-edits", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Commit the last edits and end."""
        self._stopping.set()
        self._wake.set()
        self._observer.stop()
        for thread in [*self._threads, self._observer]:
            thread.join()
        self.sync()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def sync(self) -> None:
        """Synchronise every file once.

        Raises:
            BlackboardError: The board cannot be read; the folder is not changed.
        """
        for _ in range(_TRIES):
            with suppress(_Moved):
                self._pass()
                return
        self._tell("", f"{self.path.name} is not in step: the board moves faster than it can be followed")

    def _pass(self) -> None:
        base = self._read_base()
        held = _held(self._board.snapshot(), self._pattern)
        edits: dict[str, dict[str, bytes | None]] = {}
        spelled: dict[str, str] = {}
        for path in sorted(held):
            spelled.setdefault(path.casefold(), path)
        for path in sorted({*held, *base}):
            first = spelled.get(path.casefold(), path)
            if path in held and path != first:
                self._tell(path, f"{path} is not kept in step: it differs from {first} in upper and lower case only")
                continue
            try:
                self._bring(path, held.get(path, _Held("", None)), base, edits)
            except OSError as error:
                self._tell(path, f"{path} cannot be brought in step: {error.strerror or error}")
        self._write_base(base)
        for component, edited in sorted(edits.items()):
            self._push(component, edited, base)
            self._write_base(base)

    def _bring(self, path: str, held: _Held, base: dict[str, str], edits: dict[str, dict[str, bytes | None]]) -> None:
        if (refusal := export_refusal(path, self._allowed)) is not None:
            self._tell(path, f"{path} is not kept in step: {refusal.why}; {refusal.step}")
            return
        place = self._place(path)
        if place is None:
            self._tell(path, f"{path} is or lies behind a link, is no file, or is the board's or the folder's own")
            return
        content = _content(place)
        board = _digest(held.content)
        match step(_digest(content), base.get(path), board):
            case Step.PUSH:
                if path not in self._refused or self._refused[path] != _digest(content):
                    edits.setdefault(held.component, {})[path] = content
                return
            case Step.PART if content is not None and path not in base:
                self._tell(path, f"{path} was here before the board had it; it stays as it is until it is moved away")
                return
            case Step.PART if content is not None:
                kept = place.with_name(f"{place.name}.conflict-{hashlib.sha256(content).hexdigest()[:_DIGITS]}")
                _replace(kept, content)
                _replace(place, held.content, seen=content)
                self._tell(path, f"{path} was changed here and on the board; what stood here is in {kept.name}")
            case Step.PULL | Step.PART:
                _replace(place, held.content, seen=content)
                self.troubles.pop(path, None)
        _set(base, path, board)

    def _push(self, component: str, files: Mapping[str, bytes | None], base: dict[str, str]) -> None:
        try:
            with self._board.transaction(self._author, role=self._role) as transaction:
                current = transaction.component(component)
                for path in files:
                    if _digest(None if current is None else current.files.get(path)) != base.get(path):
                        raise _Moved
                _rely(transaction, component, current)
                transaction.write(component, files)
        except (Conflict, Reserved) as error:
            # Both are temporary: the file is synchronised again with its then current texts.
            raise _Moved from error
        except (Refused, Invalid) as error:
            for path, content in files.items():
                self._refused[path] = _digest(content)
                self._tell(path, f"the edit of {path} stays here alone: {error}")
            return
        for path, content in files.items():
            _set(base, path, _digest(content))
            self._refused.pop(path, None)
            self.troubles.pop(path, None)

    def _place(self, path: str) -> Path | None:
        parts = path.split("/")
        *folders, place = (self.path.joinpath(*parts[:end]) for end in range(1, len(parts) + 1))
        # A link inside the folder can lead to `.git`; a pipe or a device would be opened and read for ever.
        is_plain = not any(one.is_symlink() for one in (*folders, place)) and all(
            one.is_dir() or not one.exists() for one in folders
        )
        is_file = place.is_file() or not place.exists()
        return place if is_plain and is_file and path != BASE_FILE and not self._board.owns(place) else None

    def _read_base(self) -> dict[str, str]:
        try:
            read = json.loads(_content(self.path / BASE_FILE) or b"")
        except ValueError:
            # Without a base every difference is a conflict, and conflicts keep both texts.
            return {}
        return {str(path): str(digest) for path, digest in read.items()} if isinstance(read, dict) else {}

    def _write_base(self, base: Mapping[str, str]) -> None:
        if base != self._read_base():
            place = self.path / BASE_FILE
            _replace(place, json.dumps(base, sort_keys=True, indent=1).encode(), seen=_content(place))

    def _tell(self, path: str, sentence: str) -> None:
        if self.troubles.get(path) != sentence:
            self.troubles[path] = sentence
            self._report(sentence)

    def _follow_board(self, after: int) -> None:
        while not self._stopping.is_set():
            try:
                for changes in self._board.watch(after=after, timeout_seconds=_WATCH_SECONDS):
                    after = changes[-1].revision
                    self._wake.set()
                    if self._stopping.is_set():
                        return
            except BlackboardError as error:
                self._tell("", f"{self.path.name} does not follow the board: {error}")
                self._stopping.wait(_WATCH_SECONDS)

    def _follow_folder(self) -> None:
        while not self._stopping.is_set():
            self._wake.wait()
            while self._wake.is_set() and not self._stopping.is_set():
                self._wake.clear()
                self._stopping.wait(self._settle_seconds)
            if not self._stopping.is_set():
                try:
                    self.sync()
                except BlackboardError as error:
                    self._tell("", f"{self.path.name} is not in step: {error}")


class _Listener(FileSystemEventHandler):
    def __init__(self, wake: threading.Event) -> None:
        self._wake = wake

    def on_any_event(self, event: FileSystemEvent) -> None:
        # Events of reads are ignored, because this module causes them itself.
        if event.event_type in ("created", "modified", "moved", "deleted"):
            self._wake.set()


def _held(snapshot: Snapshot, pattern: str) -> dict[str, _Held]:
    """Return path -> file on the board; its content is None if only a task names it."""
    held: dict[str, _Held] = {}
    components = {component.key: component for component in snapshot.components(pattern)}
    for key, component in sorted(components.items()):
        for path, content in component.files.items():
            held.setdefault(path, _Held(key, content))
    for path, key in _named(snapshot):
        if key in components or pattern == "**":
            held.setdefault(path, _Held(key, None))
    return held


def _named(snapshot: Snapshot) -> Iterator[tuple[str, str]]:
    for decision in snapshot.decisions(f"{TASK}*"):
        for path in Task.of(decision).files:
            yield path, decision.key.removeprefix(TASK)


def _rely(transaction: Transaction, component: str, current: Component | None) -> None:
    """Read the decisions that the component depends on, so that the edited version has pins.

    These are the decisions that its task names, or without a task those of its last version's pins.
    """
    reading = Reading(transaction)
    task = reading.task(component)
    if task is not None:
        reading.premises(task)
    elif current is not None:
        facets: dict[tuple[str, str], set[str]] = {}
        for pin in current.pins:
            facets.setdefault((pin.key, pin.side), set()).add(pin.name)
        for (key, side), names in facets.items():
            reading.decision(key, side=side, facets=() if "" in names else sorted(names))


def _digest(content: bytes | None) -> str | None:
    return None if content is None else hashlib.sha256(content).hexdigest()


def _set(base: dict[str, str], path: str, digest: str | None) -> None:
    if digest is None:
        base.pop(path, None)
    else:
        base[path] = digest


def _content(place: Path) -> bytes | None:
    return place.read_bytes() if place.is_file() else None


def _expect(place: Path, *texts: bytes | None) -> None:
    if _content(place) not in texts:
        raise _Moved


def _replace(place: Path, content: bytes | None, *, seen: bytes | None = None) -> None:
    """Replace a file atomically; None removes it.

    Args:
        place: The file.
        content: Its new text.
        seen: The text that was read. It is compared just before the replacement, because a person may save the file.

    Raises:
        _Moved: The file has another text now; it is not changed.
    """
    if content is None:
        _expect(place, seen)
        place.unlink(missing_ok=True)
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=place.parent, prefix=".", suffix=".in-step", delete=False) as partial:
        partial.write(content)
        partial.flush()
        os.fsync(partial.fileno())
    try:
        _expect(place, seen, content)
        Path(partial.name).replace(place)
    except BaseException:
        Path(partial.name).unlink(missing_ok=True)
        raise
