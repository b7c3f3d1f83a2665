"""The runs of one worker: it claims activations, starts and cancels runs, and records their ends on the board.

Invariant: the end of a run is kept until it is recorded, so an outage of the store loses none. To record an end twice
changes nothing, so an end whose COMMIT is unknown is recorded again.
"""

import random
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace

from blackboard.control.attempt import Rebid, Result, Stop, attempt, attempt_async, is_async, timeout_of
from blackboard.control.context import Cancel, Context, Setting
from blackboard.control.executor import EventLoop, Threads
from blackboard.control.pace import AHEAD_SECONDS, GATHER_SECONDS, Pace
from blackboard.control.source import Source
from blackboard.spec.activation import Ending
from blackboard.store import agenda, claims, feed, ratings
from blackboard.store.agenda import End
from blackboard.store.claims import Cap, Claimants, Claimed

LEASE_SECONDS = 5.0
_GRACE_SECONDS = 0.5
LONGEST_POSTPONED_SECONDS = 3600.0
"""The longest total wait of one activation by `RetryLater` in a run; after it the attempt fails."""
MOST_ASYNC = 1000
"""The largest number of concurrent runs of `async def` sources. `workers` limits threads and therefore not these;
`max_concurrency` and the team's resources do."""


@dataclass(frozen=True, slots=True)
class _Ended:
    context: Context
    result: Result


class Runs:
    """The claimed activations of a worker: queued, running and ended.

    Args:
        at_once: The largest number of runs that have a thread.
        seed: If given, one run at a time, in an order drawn from it.
    """

    def __init__(self, setting: Setting, sources: Sequence[Source], *, at_once: int, seed: int | None) -> None:
        self.setting = setting
        self._store = setting.store
        self._at_once = max(1, at_once)
        self.lease_seconds = LEASE_SECONDS
        self._draw = None if seed is None else random.Random(seed)  # noqa: S311 - an order, not a secret
        self._sources = {source.name: source for source in sources}
        in_loop = {source.name for source in sources if seed is None and is_async(source)}
        self._needs = {source.name: source.needs for source in sources if source.needs}
        self.names = tuple(sorted(self._sources))
        self._threaded = Claimants(tuple(name for name in self.names if name not in in_loop))
        self._async = Claimants(tuple(name for name in self.names if name in in_loop))
        self._pace = Pace(self._at_once)
        self._running: dict[int, Context] = {}
        self._queued: deque[Context] = deque()
        self._ended: list[_Ended] = []
        self._unwritten: list[End] = []
        self._awaited: dict[int, Future[None]] = {}  # the runs in the event loop
        self._rebid: set[tuple[int, int]] = set()
        self._postponed: dict[tuple[int, int], float] = {}  # (activation, cause) -> seconds
        self._changed = threading.Condition()
        self._rated = -1  # the last revision at which pending activations were rated
        self._news = False
        self._gathering = False  # whether the loop waits for more runs to end, to record them together
        self._threads = Threads()
        self._loop = EventLoop()
        self.stopping = ""
        """Why no further run is started; empty while runs are started."""
        self.stopped_by_source = False

    def limit(self, cap: Cap) -> None:
        """Limit the total time of leases as the choreography does."""
        self._threaded = replace(self._threaded, needs=self._needs, cap=cap)
        self._async = replace(self._async, needs=self._needs, cap=cap)

    # --- for any thread ---

    def stop(self, why: str = "stopped") -> None:
        """Start no further run, and wake the loop."""
        with self._changed:
            self.stopping = self.stopping or why
            self._changed.notify_all()

    def notify(self) -> None:
        """Wake the loop after a commit of any process."""
        with self._changed:
            self._news = True
            self._changed.notify_all()

    def held(self) -> list[Context]:
        """Return the queued and running contexts; each has a lease."""
        return [*self._running.values(), *self._queued]

    # --- for the loop ---

    @property
    def any_running(self) -> bool:
        """Whether anything runs."""
        return bool(self._running)

    def exchange(self) -> None:
        """Record the ends of runs and claim the next activations, all in one turn."""
        self._collect()
        if self.stopping:
            agenda.end(self._store, self._unwritten)
            self._unwritten.clear()
            return
        limit = self._wanted
        if limit:
            self._rate()
        claimed = claims.exchange(
            self._store, self._unwritten, self._threaded, limit=limit, lease_seconds=self.lease_seconds
        )
        self._unwritten.clear()
        contexts = [self._context(one) for one in claimed]
        if self._draw is not None:
            self._draw.shuffle(contexts)
        self._queued.extend(contexts)
        if self._async.names:
            self._await_more()

    def start(self) -> int:
        """Start as many runs as permitted; return their number."""
        begun = 0
        most = 1 if self._draw is not None else self._at_once
        threads = self._pace.threads(len(self._queued))
        while begun < threads and self._busy < most and (context := self._next()) is not None:
            self._threads.submit(self._job(context))
            begun += 1
        return begun

    def let_go(self) -> None:
        """Abandon cancelled runs that do not end by themselves; their threads continue."""
        for token, context in list(self._running.items()):
            if context.overdue_seconds >= 0:
                context.cancel(Cancel.DEADLINE)
            if context.overdue_seconds >= _GRACE_SECONDS:
                del self._running[token]
                reason = f"it did not end within {timeout_of(self._sources[context.source]):g} s"
                self._unwritten.append(End(token, Ending.FAILED, "TimeoutError", reason))
            elif context.lost_for_seconds >= _GRACE_SECONDS:
                del self._running[token]
        for token in self._awaited.keys() - self._running.keys():
            self._awaited.pop(token).cancel()

    def renew(self) -> None:
        """Renew all leases from the loop itself."""
        if held := self.held():
            agenda.renew(self._store, [one.token for one in held], lease_seconds=self.lease_seconds)

    def cancel_lost(self) -> None:
        """Cancel the runs whose lease an operator revoked; the renewal would do so too, but later."""
        running = list(self._running.items())
        if not running:
            return
        with self._store.database.reading() as on:
            live = agenda.live(on, [token for token, _ in running])
        for token, context in running:
            if token not in live:
                context.cancel(Cancel.LOST)

    def await_change(self, seconds: float) -> None:
        """Wait until a run has ended, somebody has committed, or the time is over."""
        with self._changed:
            # A notification that came before this wait counts too, or it would be lost until the next poll.
            if not (self._due or self.stopping or self._news):
                notified = self._changed.wait(AHEAD_SECONDS if self._queued else seconds)
                if not notified and self._queued:
                    # The current runs take longer than recent ones, so the queued runs need threads of their own.
                    self._pace.note(AHEAD_SECONDS)
            if self._pace.ahead and self._ended and not self.stopping:
                self._gathering = True
                self._changed.wait_for(lambda: self._all_ended or self.stopping, GATHER_SECONDS)
                self._gathering = False
            self._news = False

    def await_stop(self, seconds: float) -> None:
        """Wait until `stop`, or until the time is over."""
        with self._changed:
            self._changed.wait_for(lambda: bool(self.stopping), seconds)

    def release(self) -> None:
        """Release every lease, so that no run can write any more."""
        self._collect()
        held = self.held()
        for context in held:
            context.cancel(Cancel.STOPPED)
        self._running.clear()
        self._queued.clear()
        self._awaited.clear()
        self._unwritten += [End(context.token, Ending.RETURNED) for context in held]
        agenda.end(self._store, self._unwritten)
        self._unwritten.clear()

    def close(self) -> None:
        """End each thread after its current run; the object can be used again."""
        self._threads.close()
        self._loop.close()
        self._threads, self._loop, self.stopping, self.stopped_by_source = Threads(), EventLoop(), "", False
        self._unwritten.clear()

    # --- claims ---

    @property
    def _wanted(self) -> int:
        """The number of activations to claim."""
        if self._draw is not None:
            return 0 if self._running or self._queued else self._at_once
        idle = self._at_once - self._busy - len(self._queued)
        return 0 if len(self._queued) > self._low else max(0, idle + self._pace.ahead)

    def _rate(self) -> None:
        revision = int(feed.head(self._store)["revision"])
        if revision != self._rated:
            bidders = [name for name, source in self._sources.items() if source.rate is not None]
            ratings.rerate(self._store, bidders=bidders)
            self._rated = revision

    # --- ends ---

    def _collect(self) -> None:
        """Collect the ends of runs; lower ratings are written at once."""
        with self._changed:
            ended, self._ended = self._ended, []
        ended = [one for one in ended if self._running.pop(one.context.token, None) is not None]
        rebids = []
        for one in ended:
            self._awaited.pop(one.context.token, None)
            if isinstance(one.result, End):
                self._unwritten.append(self._bounded(one.context, one.result))
                continue
            # `rebid` ends the lease, and then this end changes nothing; it counts if `rebid` fails.
            self._unwritten.append(End(one.context.token, Ending.RETURNED))
            if isinstance(one.result, Rebid):
                rebids.append((one.context.claimed, one.result.rating))
        for claimed, rating in rebids:
            self._rebid.add((claimed.activation, claimed.cause))
            agenda.rebid(self._store, claimed.token, claimed.activation, rating)

    def _bounded(self, context: Context, end: End) -> End:
        """Return a failed end for an activation that was postponed for too long in total."""
        if not end.wait_seconds:
            return end
        work = (context.claimed.activation, context.claimed.cause)
        self._postponed[work] = self._postponed.get(work, 0.0) + end.wait_seconds
        too_long = self._postponed[work] > LONGEST_POSTPONED_SECONDS
        return end._replace(ending=Ending.FAILED, wait_seconds=0.0) if too_long else end

    def _ended_with(self, context: Context, result: Result) -> None:
        """Note the end of a run; the caller holds the condition."""
        self._ended.append(_Ended(context, result))
        if isinstance(result, Stop) and not self.stopping:
            self.stopping, self.stopped_by_source = result.reason, True

    # --- runs ---

    def _context(self, claimed: Claimed) -> Context:
        return Context(self.setting, claimed, timeout_seconds=timeout_of(self._sources[claimed.source]))

    def _await_more(self) -> None:
        """Claim for the `async def` sources and start these runs at once."""
        limit = MOST_ASYNC - len(self._awaited)
        for one in claims.claim(self._store, self._async, limit=limit, lease_seconds=self.lease_seconds):
            context = self._context(one)
            with self._changed:
                self._running[context.token] = context
            context.start()
            self._awaited[context.token] = self._loop.submit(self._awaiting(context))

    async def _awaiting(self, context: Context) -> None:
        source, may_rebid = self._sources[context.source], self._may_rebid(context)
        result = await attempt_async(source, context, self._loop, virtual=self.setting.virtual, may_rebid=may_rebid)
        with self._changed:
            self._ended_with(context, result)
            self._changed.notify_all()

    def _may_rebid(self, context: Context) -> bool:
        return (context.claimed.activation, context.claimed.cause) not in self._rebid

    @property
    def _busy(self) -> int:
        """The number of runs that have a thread."""
        return len(self._running.keys() - self._awaited.keys()) if self._awaited else len(self._running)

    @property
    def _low(self) -> int:
        """The number of queued runs below which more are claimed."""
        return self._pace.ahead // 4

    def _next(self) -> Context | None:
        """Take the next queued run and set its deadline."""
        with self._changed:
            if not self._queued:
                return None
            context = self._queued.popleft()
            self._running[context.token] = context
        context.start()
        return context

    def _job(self, first: Context) -> Callable[[], None]:
        """Return the work of one thread: a run, and the queued ones after it."""

        def job() -> None:
            context: Context | None = first
            while context is not None:
                source, may_rebid = self._sources[context.source], self._may_rebid(context)
                began = time.monotonic()
                result = attempt(source, context, self._loop, virtual=self.setting.virtual, may_rebid=may_rebid)
                with self._changed:
                    self._pace.note(time.monotonic() - began)
                    self._ended_with(context, result)
                    alone = self._draw is not None or bool(self.stopping)
                    if alone or (self._due if not self._gathering else self._all_ended):
                        self._changed.notify_all()
                context = None if alone else self._next()

        return job

    @property
    def _due(self) -> bool:
        """Whether there are ends to record and few queued runs."""
        return bool(self._ended) and len(self._queued) <= self._low

    @property
    def _all_ended(self) -> bool:
        return not self._queued and len(self._ended) >= self._busy
