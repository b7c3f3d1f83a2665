"""The loop that claims activations, runs them, and computes whether the board has converged.

All durable state of a controller is on the board, so any number of controllers may run, and any of them may be killed.
A controller always ends, with an outcome: it waits only for events with a known time (the end of another controller's
lease, of a back-off, of a near deadline), without polling in a tight loop, and never for a person.
"""

import contextlib
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace

from blackboard.board import Blackboard
from blackboard.control.attempt import Rebid, Result, Stop, attempt, attempt_async, is_async, timeout_of
from blackboard.control.context import Cancel, Context, Setting
from blackboard.control.executor import EventLoop, Workers
from blackboard.control.pace import AHEAD_SECONDS, GATHER_SECONDS, Pace
from blackboard.control.sandbox import Sandbox
from blackboard.control.simulation import FakeClock
from blackboard.control.team import Team
from blackboard.control.watching import Renewal, Wakeup
from blackboard.errors import CommitUnknown, Sealed, StoreError
from blackboard.lease import caps
from blackboard.spec import convergence
from blackboard.spec.activation import Ending
from blackboard.spec.convergence import Obligation, Outcome, OutcomeKind
from blackboard.spec.spec_state import SpecState
from blackboard.spec.triggers import STARTS
from blackboard.store import agenda, claims, gather, ratings, read
from blackboard.store.agenda import End
from blackboard.store.claims import Claimants, Claimed
from blackboard.store.session import Turn

LEASE_SECONDS = 5.0
_POLL_SECONDS = 0.5
_CARE_SECONDS = 0.5
_GRACE_SECONDS = 0.5
PATIENCE_SECONDS = 10.0
"""The longest wait of an idle controller for a deadline; a later one is an obligation of the outcome, and the next run
commits it. In virtual time the controller waits for every deadline."""
LONGEST_POSTPONED_SECONDS = 3600.0
"""The longest total wait of one activation by `RetryLater` in a run; after it the attempt fails."""
MOST_ASYNC = 1000
"""The largest number of concurrent runs of `async def` sources. `workers` limits threads and therefore not these;
`max_concurrency` and the team's resources do."""
_SHORTEST_WAIT_SECONDS = 0.001


@dataclass(frozen=True, slots=True)
class _Ended:
    context: Context
    result: Result


class Controller:
    """Runs a team on a board until there is an outcome.

    With a seed it runs one source at a time, in an order drawn from the seed: on a board with a `FakeClock` the same
    seed gives the same history. Without a seed, `workers` threads run sources.
    """

    def __init__(self, board: Blackboard, team: Team, *, workers: int = 4, seed: int | None = None) -> None:
        self._board = board
        self._team = team
        self._store = board.store
        self._virtual = isinstance(board.store.clock, FakeClock)
        self._workers = max(1, workers)
        self._draw = None if seed is None else random.Random(seed)  # noqa: S311 - an order, not a secret
        self._sources = {source.name: source for source in team.members if not source.external}
        self._in_loop = frozenset(name for name, one in self._sources.items() if seed is None and is_async(one))
        self._claimants = Claimants(tuple(sorted(self._sources)))
        self._threaded = self._claimants  # sources of which each run needs a thread
        self._setting = Setting(
            self._store,
            team.prompt,
            Sandbox.best(),
            self._virtual,
            checks=team.checks,
            prices=team.prices,
            priced=team.budget.money is not None,
        )
        self._pace = Pace(self._workers)
        self._running: dict[int, Context] = {}
        self._queued: deque[Context] = deque()
        self._ended: list[_Ended] = []
        self._awaited: dict[int, Future[None]] = {}  # the runs in the event loop
        self._rebid: set[tuple[int, int]] = set()
        self._postponed: dict[tuple[int, int], float] = {}  # (activation, cause) -> seconds
        self._changed = threading.Condition()
        self._stopping = False
        self._why_stopped = "stopped"
        self._news = False
        self._gathering = False  # whether the loop waits for more runs to end, to record them together
        self._rated = -1
        self._started = -1  # the last revision at which the check of the whole program was woken
        self._state: SpecState | None = None  # the state of the spec when nothing ran last
        self._cared = -1.0
        self._threads = Workers()
        self._loop = EventLoop()

    def run(self) -> Outcome:
        """Install the team and work until the board converged, stalled, oscillates, or the budget is spent.

        Returns:
            The outcome; `aborted` after `stop`, after an interrupt from the keyboard, and if the store failed or was
            sealed.

        Raises:
            InvalidTeam: The team is not well formed.
            TeamMismatch: Another team is installed and has a live lease.
        """
        agenda.sweep(self._store)
        self._board.install(self._team)
        self._prepare()
        with contextlib.ExitStack() as open_now:
            open_now.callback(self._close)
            try:
                if not self._virtual:
                    open_now.callback(self._renewal().close)
                    open_now.callback(Wakeup(self._store, self._notify).close)
                return self._work()
            except KeyboardInterrupt:
                return self._abort("interrupted from the keyboard")
            except (StoreError, CommitUnknown, Sealed) as error:
                return self._abort(f"{type(error).__name__}: {error}")

    def stop(self) -> None:
        """End `run` soon with outcome `aborted`; its leases are released."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()

    # --- the loop ---

    def _prepare(self) -> None:
        needs = {name: source.needs for name, source in self._sources.items() if source.needs}
        with self._store.database.reading() as on:
            self._claimants = Claimants(tuple(sorted(self._sources)), needs, caps(on, self._store))
        threaded = tuple(name for name in self._claimants.names if name not in self._in_loop)
        self._threaded = replace(self._claimants, names=threaded)
        prompt = self._board.snapshot().decision("prompt")
        if prompt is not None:
            self._setting = replace(self._setting, prompt=prompt.contract.text)

    def _work(self) -> Outcome:
        while not self._stopping:
            self._care()
            ends = self._collect()
            if self._stopping:
                agenda.end(self._store, ends)
                break
            self._exchange(ends)
            self._start()
            if self._running:
                self._await_change(_POLL_SECONDS)
                continue
            outcome = self._rest()
            if outcome is not None:
                return outcome
        return self._abort(self._why_stopped)

    def _collect(self) -> list[End]:
        """Return the ends of runs that are not recorded yet; lower ratings are written at once."""
        with self._changed:
            ended, self._ended = self._ended, []
        ended = [one for one in ended if self._running.pop(one.context.token, None) is not None]
        for one in ended:
            self._awaited.pop(one.context.token, None)
            claimed = one.context.claimed
            if isinstance(one.result, Rebid):
                self._rebid.add((claimed.activation, claimed.cause))
                agenda.rebid(self._store, claimed.token, claimed.activation, one.result.rating)
        stopped = [End(one.context.token, Ending.RETURNED) for one in ended if isinstance(one.result, Stop)]
        return [*stopped, *(self._bounded(one.context, one.result) for one in ended if isinstance(one.result, End))]

    def _bounded(self, context: Context, end: End) -> End:
        """Return a failed end for an activation that was postponed for too long in total."""
        if not end.wait_seconds:
            return end
        work = (context.claimed.activation, context.claimed.cause)
        self._postponed[work] = self._postponed.get(work, 0.0) + end.wait_seconds
        too_long = self._postponed[work] > LONGEST_POSTPONED_SECONDS
        return end._replace(ending=Ending.FAILED, wait_seconds=0.0) if too_long else end

    def _care(self) -> None:
        """End expired leases, commit due deadlines, and abandon runs that do not end."""
        now = self._store.clock()
        if not self._virtual and now < self._cared + _CARE_SECONDS:
            return
        self._cared = now
        if self._virtual:
            mine = [*self._running, *(context.token for context in self._queued)]
            if mine:
                agenda.renew(self._store, mine, lease_seconds=LEASE_SECONDS)
        else:
            self._let_go()
        self._tell_lost()
        agenda.sweep(self._store)
        self._board.tick()

    def _let_go(self) -> None:
        """Abandon cancelled runs that do not end by themselves; their threads continue."""
        ends = []
        for token, context in list(self._running.items()):
            if context.overdue_seconds >= 0:
                context.cancel(Cancel.DEADLINE)
            if context.overdue_seconds >= _GRACE_SECONDS:
                del self._running[token]
                reason = f"it did not end within {timeout_of(self._sources[context.source]):g} s"
                ends.append(End(token, Ending.FAILED, "TimeoutError", reason))
            elif context.lost_for_seconds >= _GRACE_SECONDS:
                del self._running[token]
        for token in self._awaited.keys() - self._running.keys():
            self._awaited.pop(token).cancel()
        agenda.end(self._store, ends)

    def _tell_lost(self) -> None:
        """Cancel the runs whose lease an operator revoked; the renewal would do so too, but later."""
        running = list(self._running.items())
        with self._store.database.reading() as on:
            live = agenda.live(on, [token for token, _ in running]) if running else frozenset()
        for token, context in running:
            if token not in live:
                context.cancel(Cancel.LOST)

    def _start(self) -> int:
        """Start as many runs as permitted; return their number."""
        begun = 0
        most = 1 if self._draw is not None else self._workers
        threads = self._pace.threads(len(self._queued))
        while begun < threads and self._busy < most and (context := self._next()) is not None:
            self._threads.submit(self._job(context))
            begun += 1
        return begun

    def _exchange(self, ends: Sequence[End]) -> None:
        """Record the ends of runs and claim the next activations, all in one turn."""
        limit = self._wanted()
        if limit:
            self._rate()
        claimed = claims.exchange(self._store, ends, self._threaded, limit=limit, lease_seconds=LEASE_SECONDS)
        contexts = [self._context(one) for one in claimed]
        if self._draw is not None:
            self._draw.shuffle(contexts)
        self._queued.extend(contexts)
        if self._in_loop:
            self._await_more()

    def _context(self, claimed: Claimed) -> Context:
        return Context(self._setting, claimed, timeout_seconds=timeout_of(self._sources[claimed.source]))

    def _await_more(self) -> None:
        """Claim for the `async def` sources and start these runs at once."""
        claimants = replace(self._claimants, names=tuple(sorted(self._in_loop)))
        limit = MOST_ASYNC - len(self._awaited)
        for one in claims.claim(self._store, claimants, limit=limit, lease_seconds=LEASE_SECONDS):
            context = self._context(one)
            with self._changed:
                self._running[context.token] = context
            context.start()
            self._awaited[context.token] = self._loop.submit(self._awaiting(context))

    async def _awaiting(self, context: Context) -> None:
        source, may_rebid = self._sources[context.source], self._may_rebid(context)
        result = await attempt_async(source, context, self._loop, virtual=self._virtual, may_rebid=may_rebid)
        with self._changed:
            self._ended.append(_Ended(context, result))
            self._note_stop(result)
            self._changed.notify_all()

    def _may_rebid(self, context: Context) -> bool:
        return (context.claimed.activation, context.claimed.cause) not in self._rebid

    def _note_stop(self, result: Result) -> None:
        if isinstance(result, Stop) and not self._stopping:
            self._stopping, self._why_stopped = True, result.reason

    @property
    def _busy(self) -> int:
        """The number of runs that have a thread."""
        return len(self._running.keys() - self._awaited.keys()) if self._awaited else len(self._running)

    def _wanted(self) -> int:
        """Return the number of activations to claim."""
        if self._draw is not None:
            return 0 if self._running or self._queued else self._workers
        idle = self._workers - self._busy - len(self._queued)
        return 0 if len(self._queued) > self._low else max(0, idle + self._pace.ahead)

    @property
    def _low(self) -> int:
        """The number of queued runs below which more are claimed."""
        return self._pace.ahead // 4

    def _rate(self) -> None:
        revision = self._board.revision
        if revision != self._rated:
            bidders = [name for name, source in self._sources.items() if source.rate is not None]
            ratings.rerate(self._store, bidders=bidders)
            self._rated = revision

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
                result = attempt(source, context, self._loop, virtual=self._virtual, may_rebid=may_rebid)
                with self._changed:
                    self._pace.note(time.monotonic() - began)
                    self._ended.append(_Ended(context, result))
                    self._note_stop(result)
                    alone = self._draw is not None or self._stopping
                    if alone or (self._due if not self._gathering else self._all_ended):
                        self._changed.notify_all()
                context = None if alone else self._next()

        return job

    def _await_change(self, seconds: float) -> None:
        with self._changed:
            # A notification that came before this wait counts too, or it would be lost until the next poll.
            if not (self._due or self._stopping or self._news):
                notified = self._changed.wait(AHEAD_SECONDS if self._queued else seconds)
                if not notified and self._queued:
                    # The current runs take longer than recent ones, so the queued runs need threads of their own.
                    self._pace.note(AHEAD_SECONDS)
            if self._pace.ahead and self._ended and not self._stopping:
                self._gathering = True
                self._changed.wait_for(lambda: self._all_ended or self._stopping, GATHER_SECONDS)
                self._gathering = False
            self._news = False

    @property
    def _due(self) -> bool:
        """Whether there are ends to record and few queued runs."""
        return bool(self._ended) and len(self._queued) <= self._low

    @property
    def _all_ended(self) -> bool:
        return not self._queued and len(self._ended) >= self._busy

    def _notify(self) -> None:
        with self._changed:
            self._news = True
            self._changed.notify_all()

    # --- nothing runs ---

    def _rest(self) -> Outcome | None:
        """Wait for the next known event, announce quiescence, or return the outcome; None means to look again."""
        wait = self._next_event()
        if wait is not None:
            self._pause(wait)
            return None
        with self._store.database.reading() as on:
            board = read.board_row(on)
            state = self._state = gather.state_of(on, board["revision"], self._state)
        left = convergence.obligations(state)
        if not state.announced and not left:
            agenda.announce(self._store, self._has_no_obligation)
            return None
        if self._started < board["revision"] and convergence.starts_is_left(left, state):
            self._started = board["revision"]
            agenda.wake_when(self._store, STARTS, self._starts_is_left)
            return None
        outcome = convergence.outcome(state)
        if outcome.kind is OutcomeKind.CONVERGED:
            return outcome
        # A commit may have made an activation since the claim that found none.
        self._exchange(())
        if self._start() or self._board.revision != outcome.revision:
            return None
        return outcome if board["mode"] is None else _halted(outcome, board["mode"], board["mode_reason"])

    def _next_event(self) -> float | None:
        """Return the seconds until a lease, a back-off or a deadline ends, None if there is none."""
        with self._store.database.reading() as on:
            now = self._store.now(on)
            at = agenda.next_event(on, self._claimants.names, now)
        deadline = self._board.next_deadline()
        if deadline is not None and deadline > PATIENCE_SECONDS and not self._virtual:
            deadline = None
        waits = [*([] if at is None else [at - now]), *([] if deadline is None else [deadline])]
        return max(_SHORTEST_WAIT_SECONDS, min(waits)) if waits else None

    def _pause(self, seconds: float) -> None:
        clock = self._store.clock
        if isinstance(clock, FakeClock):
            clock.sleep(seconds)
            return
        # Changes of the agenda by other controllers make no revision and no notification: poll.
        self._await_change(min(seconds, _POLL_SECONDS))

    def _has_no_obligation(self, turn: Turn) -> bool:
        """Say whether C1 to C4 hold, in the turn that announces quiescence."""
        return not convergence.obligations(gather.state_of(turn, turn.revision, self._state))

    def _starts_is_left(self, turn: Turn) -> bool:
        state = gather.state_of(turn, turn.revision, self._state)
        return convergence.starts_is_left(convergence.obligations(state), state)

    # --- the end ---

    def _abort(self, reason: str) -> Outcome:
        """Release every lease, so that no run can write any more, and return the outcome `aborted`."""
        held = [*self._running.values(), *self._queued]
        why = Obligation("**", f"aborted: {reason}")
        for context in held:
            context.cancel(Cancel.STOPPED)
        self._running.clear()
        self._queued.clear()
        self._awaited.clear()
        try:
            agenda.end(self._store, [End(context.token, Ending.RETURNED) for context in held])
            outcome = self._board.snapshot().convergence()
        except (StoreError, CommitUnknown, Sealed) as error:
            failed = Obligation("**", f"{type(error).__name__}: {error}")
            return Outcome(OutcomeKind.ABORTED, 0, (why, failed), (), "")
        return replace(outcome, kind=OutcomeKind.ABORTED, obligations=(why, *outcome.obligations))

    def _close(self) -> None:
        self._threads.close()
        self._loop.close()
        self._threads, self._loop, self._stopping, self._why_stopped = Workers(), EventLoop(), False, "stopped"

    def _renewal(self) -> Renewal:
        return Renewal(self._store, lambda: [*self._running.values(), *self._queued], lease_seconds=LEASE_SECONDS)


def _halted(outcome: Outcome, how: str, why: str) -> Outcome:
    first = Obligation("**", f"the board is {how}: {why}", ("operator",), person=True)
    return replace(outcome, obligations=(first, *outcome.obligations))
