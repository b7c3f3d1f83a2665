"""A fork of this process: no connection to SQLite, and no lock that SQLite holds, is of use to the child.

SQLite keeps in memory which locks on a file its process holds. The child of a fork inherits that table but not the
locks: it would write without any, and its parent would delete the log (`-wal`) that the child still writes to. So the
parent closes every idle connection before the fork, which empties the table, and both open new connections when they
need one. Where a connection is in use at that moment, the table keeps its entry for the file: then the child refuses
the file, however it is opened. The parent goes on in either case.
"""

import os
import threading
import weakref
from collections.abc import Callable
from typing import NoReturn, Protocol

Identity = tuple[int, int]
"""Device and inode of a file."""


class Survivor(Protocol):
    """What has to act at a fork."""

    def before_fork(self) -> None:
        """Close, in the parent, what the child must not inherit."""

    def after_fork(self) -> None:
        """Replace, in the child, what belongs to the parent."""


class _Forks:
    """The state of this process: `guard` is held by whoever opens a connection, and for the length of a fork."""

    def __init__(self) -> None:
        self.guard = threading.RLock()
        self.survivors: weakref.WeakSet[Survivor] = weakref.WeakSet()
        self.refused: set[Identity] = set()


_forks = _Forks()


def guard() -> threading.RLock:
    """Return the lock under which connections are opened: no fork happens while a thread holds it."""
    return _forks.guard


def register(survivor: Survivor) -> None:
    """Let an object act at every fork, as long as it lives."""
    with _forks.guard:
        _forks.survivors.add(survivor)


def refuse(identity: Identity) -> None:
    """Never open this file in this process: SQLite holds a table of its parent's locks on it."""
    _forks.refused.add(identity)


def is_refused(identity: Identity | None) -> bool:
    """Say whether a connection to this file was in use when this process was forked from its parent."""
    return identity in _forks.refused


def keep_for_ever(*objects: object) -> None:
    """Keep objects from being destroyed, at the end of the process too.

    The child would end, in memory that it shares with its parent, a transaction of its parent; or wait for a lock of
    SQLite that a thread of the parent held.
    """
    import ctypes  # noqa: PLC0415 - loaded when used: few processes fork

    ctypes.pythonapi.Py_IncRef(ctypes.py_object(objects))


class Abandoned:
    """In the child, in the place of a connection of its parent: raises at every use.

    Args:
        refuse: Raises why the connection cannot be used.
    """

    in_transaction = False

    def __init__(self, refuse: Callable[[], None]) -> None:
        self._refuse = refuse

    def close(self) -> None:
        """Do nothing: the parent's connection stays open."""

    def __getattr__(self, name: str) -> NoReturn:
        self._refuse()
        raise AttributeError(name)


def _before() -> None:
    _forks.guard.acquire()
    for survivor in list(_forks.survivors):
        survivor.before_fork()


def _in_parent() -> None:
    _forks.guard.release()


def _in_child() -> None:
    # A new lock, since a signal handler may have forked while its own thread held the old one.
    _forks.guard = threading.RLock()
    for survivor in list(_forks.survivors):
        survivor.after_fork()


os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)
