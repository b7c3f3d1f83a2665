"""The threads of a worker that renew its leases, and wake its loop after a commit of any process."""

import logging
import threading
import time
from collections.abc import Callable, Sequence

from blackboard.control.context import Cancel, Context
from blackboard.errors import CommitUnknown, Sealed, StoreError
from blackboard.store import agenda
from blackboard.store.opened import Store
from blackboard.store.statements import Statement
from blackboard.store.watcher import Watcher
from blackboard.store.workers import SEEN_SECONDS, Presence

log = logging.getLogger(__name__)

_JOIN_SECONDS = 5.0
_AGAIN_SECONDS = 1.0
_LOOK_SECONDS = 0.001
_REVISION = Statement("SELECT revision FROM board")


class _Side:
    """A daemon thread that repeats a function until it is closed."""

    def __init__(self, name: str, every_seconds: float) -> None:
        self._every_seconds = every_seconds
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread."""
        self._closed.set()
        self._thread.join(_JOIN_SECONDS)

    def _run(self) -> None:
        while not self._closed.wait(self._every_seconds):
            self._step()

    def _step(self) -> None:
        raise NotImplementedError


class Renewal(_Side):
    """Renews a worker's leases in one turn, at a third of their time, and cancels the runs with lost leases.

    It also renews the row by which the worker shows itself.
    """

    def __init__(
        self, store: Store, held: Callable[[], Sequence[Context]], presence: Presence, *, lease_seconds: float
    ) -> None:
        self._store = store
        self._held = held
        self._presence = presence
        self._lease_seconds = lease_seconds
        self._shown = time.monotonic()
        super().__init__("lease-renewal", lease_seconds / 3)

    def _step(self) -> None:
        held = list(self._held())
        try:
            tokens = [one.token for one in held]
            renewed = agenda.renew(self._store, tokens, lease_seconds=self._lease_seconds) if held else {}
            if time.monotonic() - self._shown >= SEEN_SECONDS:
                self._presence.show()
                self._shown = time.monotonic()
        except (StoreError, CommitUnknown) as error:
            # The renewal is repeated after another third; the loop meets the same store and reports its error.
            log.info("leases were not renewed: %s", error)
            return
        except Sealed:
            # Runs without a lease cannot commit any more.
            renewed = {}
        for one in held:
            if one.token in renewed:
                one.renewed(renewed[one.token])
            else:
                one.cancel(Cancel.LOST)


class Wakeup(_Side):
    """Calls a function after a commit of any process; a poll finds commits without a notification."""

    def __init__(self, store: Store, notify: Callable[[], None]) -> None:
        self._notify = notify
        self._store = store
        # Most notifications are of commits of this very process, which end within this time.
        self._watcher = Watcher(store.database, shortest_seconds=_LOOK_SECONDS)
        self._revision = -1
        super().__init__("wake-up", 0)

    def close(self) -> None:
        """End the thread and close its connection."""
        self._closed.set()
        self._store.database.notices.wake()
        super().close()
        self._watcher.close()

    def _step(self) -> None:
        try:
            news = self._watcher.news()
            revision = self._store.database.all(_REVISION)[0][0] if news else self._revision
        except StoreError as error:
            log.warning("the board cannot be watched: %s", error)
            self._closed.wait(_AGAIN_SECONDS)
            return
        if revision != self._revision:
            self._revision = revision
            self._notify()
        self._watcher.wait()
