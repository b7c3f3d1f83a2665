"""A worker: the loop that claims activations of a team's sources, executes them, and records their ends.

All durable state of a worker is on the board, so any number of workers may run, on any number of hosts, and any of them
may be killed. A worker waits without polling in a tight loop. While the board is unavailable, `run` waits with back-off
and continues; `until_outcome` ends with that error.
"""

import contextlib
import logging
from collections.abc import Iterator
from dataclasses import replace

from blackboard.board import Blackboard
from blackboard.control.context import Setting
from blackboard.control.runs import Runs
from blackboard.control.sandbox import Sandbox
from blackboard.control.simulation import FakeClock
from blackboard.control.team import Team
from blackboard.control.watching import Renewal, Wakeup
from blackboard.errors import CommitUnknown, Full, Sealed, StopRun, StoreError, TeamMismatch, Unavailable
from blackboard.lease import caps
from blackboard.spec import convergence
from blackboard.spec.convergence import Obligation, Outcome, OutcomeKind
from blackboard.spec.keys import PROMPT, TEAM
from blackboard.spec.spec_state import SpecState
from blackboard.spec.triggers import STARTS
from blackboard.store import agenda, gather, read
from blackboard.store.agenda import Mark
from blackboard.store.session import Turn
from blackboard.store.workers import Presence

log = logging.getLogger(__name__)

_POLL_SECONDS = 0.5
_CARE_SECONDS = 0.5
PATIENCE_SECONDS = 10.0
"""The longest wait of an idle worker for a deadline; a later one is an obligation of the outcome, and the next run
commits it. In virtual time the worker waits for every deadline."""
_SHORTEST_WAIT_SECONDS = 0.001
FIRST_PAUSE_SECONDS = 0.25
LONGEST_PAUSE_SECONDS = 10.0

_OUTAGE = (Unavailable, CommitUnknown, Full, Sealed)
"""Errors that end without a change of the worker: a server restarts, a disk is full, an operator seals the board."""


class Worker:
    """Executes a team's sources on a board where the team is installed.

    With a seed it runs one source at a time, in an order drawn from the seed: on a board with a `FakeClock` the same
    seed gives the same history. Without a seed, `workers` threads run sources.
    """

    def __init__(self, board: Blackboard, team: Team, *, workers: int = 4, seed: int | None = None) -> None:
        self._board = board
        self._team = team
        self._store = board.store
        self._virtual = isinstance(board.store.clock, FakeClock)
        setting = Setting(
            self._store,
            team.prompt,
            Sandbox.best(),
            self._virtual,
            checks=team.checks,
            prices=team.prices,
            priced=team.budget.money is not None,
        )
        sources = [source for source in team.members if not source.external]
        self._runs = Runs(setting, sources, at_once=workers, seed=seed)
        self._installed = -1  # the last revision at which the installed team was compared with this one
        self._started = -1  # the last revision at which the check of the whole program was woken
        self._state: SpecState | None = None  # the state of the spec when nothing ran last
        self._cared = -1.0
        self._sweeps_from = float("-inf")  # the time from which expired leases are ended
        self._pause_seconds = 0.0  # the back-off of the current outage, 0 while the board is available
        self._known: tuple[Mark, Outcome] | None = None  # the last outcome, valid while the mark is the same

    def run(self) -> None:
        """Work until `stop`, through outages of the store; leases are released at the end.

        Raises:
            TeamMismatch: Another team is installed, at the start or later, or none.
            StopRun: A source said that nothing can succeed here.
            StoreError: The store cannot be used, and waiting does not help.
        """
        with self._at_work():
            try:
                while not self._runs.stopping:
                    self._go_on()
            finally:
                why, by_source = self._runs.stopping, self._runs.stopped_by_source
                self._runs.release()
        if by_source:
            raise StopRun(why)

    def until_outcome(self) -> Outcome:
        """Work until the board converged, stalled, oscillates, or the budget is spent.

        Returns:
            The outcome; `aborted` after `stop`, after an interrupt from the keyboard, if the store failed or was
            sealed, and if another team was installed.

        Raises:
            TeamMismatch: Another team is installed, or none.
        """
        with self._at_work():
            try:
                while not self._runs.stopping:
                    if (outcome := self._round()) is not None:
                        return outcome
                return self._abort(self._runs.stopping)
            except KeyboardInterrupt:
                return self._abort("interrupted from the keyboard")
            except (StoreError, CommitUnknown, Sealed, TeamMismatch) as error:
                return self._abort(f"{type(error).__name__}: {error}")

    def stop(self) -> None:
        """End `run` or `until_outcome` soon; the leases are released."""
        self._runs.stop()

    @contextlib.contextmanager
    def _at_work(self) -> Iterator[None]:
        """Register the worker on the board, renew its leases and wait for commits while the block runs."""
        self._check_team()
        with contextlib.ExitStack() as open_now:
            open_now.callback(self._runs.close)
            if not self._virtual:
                presence = Presence(self._store, self._runs.names)
                presence.show()
                open_now.callback(_withdraw, presence)
                renewal = Renewal(self._store, self._runs.held, presence, lease_seconds=self._runs.lease_seconds)
                open_now.callback(renewal.close)
                open_now.callback(Wakeup(self._store, self._runs.notify).close)
            yield

    # --- the loop ---

    def _go_on(self) -> None:
        """Do one round; wait for a change if there is nothing to do, or with back-off if the board is unavailable."""
        try:
            if self._pause_seconds:
                self._runs.renew()
            outcome = self._round()
        except _OUTAGE as error:
            self._wait_out(error)
            return
        if self._pause_seconds:
            log.warning("%s is available again", self._store.location)
            self._pause_seconds = 0.0
        if outcome is not None:
            self._runs.await_change(_POLL_SECONDS)

    def _wait_out(self, error: Exception) -> None:
        """Wait, longer after each failure in a row; log the first one."""
        if not self._pause_seconds:
            log.warning("%s: %s; the worker waits and goes on", type(error).__name__, error)
        self._pause_seconds = min(LONGEST_PAUSE_SECONDS, max(FIRST_PAUSE_SECONDS, 2 * self._pause_seconds))
        # No worker can renew leases during an outage: each gets the time to do so before expired ones are ended.
        self._sweeps_from = self._store.clock() + self._pause_seconds + self._runs.lease_seconds
        self._runs.await_stop(self._pause_seconds)

    def _round(self) -> Outcome | None:
        """Record ended runs, start new ones and wait; return the outcome if there is nothing to do."""
        self._care()
        self._runs.exchange()
        self._runs.start()
        if self._runs.any_running:
            self._runs.await_change(_POLL_SECONDS)
            return None
        return None if self._runs.stopping else self._rest()

    def _care(self) -> None:
        """End expired leases, commit due deadlines, and abandon runs that do not end."""
        now = self._store.clock()
        if not self._virtual and now < self._cared + _CARE_SECONDS:
            return
        self._cared = now
        if self._virtual:
            self._runs.renew()
        else:
            self._runs.let_go()
        self._runs.cancel_lost()
        with self._store.database.reading() as on:
            installed = read.board_row(on)["installed"]
        if installed != self._installed:
            self._check_team()
        if now >= self._sweeps_from:
            agenda.sweep(self._store)
        self._board.tick()

    def _check_team(self) -> None:
        """Compare the installed team with this one, and read its limits on leases and its prompt.

        Raises:
            TeamMismatch: It is another one, or there is none.
        """
        with self._store.database.reading() as on:
            installed = read.board_row(on)["installed"]
        if differences := self._board.differences(self._team):
            if self._board.snapshot().decision(TEAM) is None:
                raise TeamMismatch(differences, "no team is installed here", "install it with `bb run` first")
            step = "start a worker of the installed one, or install this one with `bb run` while no lease lives"
            raise TeamMismatch(differences, "another team is installed here", step)
        with self._store.database.reading() as on:
            self._runs.limit(caps(on, self._store))
        prompt = self._board.snapshot().decision(PROMPT)
        if prompt is not None:
            self._runs.setting = replace(self._runs.setting, prompt=prompt.contract.text)
        self._installed = installed

    # --- nothing runs ---

    def _rest(self) -> Outcome | None:
        """Wait for the next known event, announce quiescence, or return the outcome; None means to look again."""
        wait, mark = self._next_event()
        if wait is not None:
            self._pause(wait)
            return None
        if self._known is not None and self._known[0] == mark:
            return self._known[1]
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
        if outcome.kind is not OutcomeKind.CONVERGED:
            # A commit may have made an activation since the claim that found none.
            self._runs.exchange()
            if self._runs.start() or self._board.revision != outcome.revision:
                return None
            if board["mode"] is not None:
                outcome = _halted(outcome, board["mode"], board["mode_reason"])
        self._known = (mark, outcome)
        return outcome

    def _next_event(self) -> tuple[float | None, Mark]:
        """Return the seconds until a lease, a back-off or a deadline ends, None if there is none; and the mark."""
        with self._store.database.reading() as on:
            now = self._store.now(on)
            at = agenda.next_event(on, self._runs.names, now)
            mark = agenda.mark(on)
        deadline = self._board.next_deadline()
        if deadline is not None and deadline > PATIENCE_SECONDS and not self._virtual:
            deadline = None
        waits = [*([] if at is None else [at - now]), *([] if deadline is None else [deadline])]
        return (max(_SHORTEST_WAIT_SECONDS, min(waits)) if waits else None), mark

    def _pause(self, seconds: float) -> None:
        clock = self._store.clock
        if isinstance(clock, FakeClock):
            clock.sleep(seconds)
            return
        # Changes of the agenda by other workers make no revision and no notification: poll.
        self._runs.await_change(min(seconds, _POLL_SECONDS))

    def _has_no_obligation(self, turn: Turn) -> bool:
        """Say whether C1 to C4 hold, in the turn that announces quiescence."""
        return not convergence.obligations(gather.state_of(turn, turn.revision, self._state))

    def _starts_is_left(self, turn: Turn) -> bool:
        state = gather.state_of(turn, turn.revision, self._state)
        return convergence.starts_is_left(convergence.obligations(state), state)

    # --- the end ---

    def _abort(self, reason: str) -> Outcome:
        """Release every lease, so that no run can write any more, and return the outcome `aborted`."""
        why = Obligation("**", f"aborted: {reason}")
        try:
            self._runs.release()
            now = self._board.snapshot().convergence()
        except (StoreError, CommitUnknown, Sealed) as error:
            failed = Obligation("**", f"{type(error).__name__}: {error}")
            return Outcome(OutcomeKind.ABORTED, 0, (why, failed), (), "")
        return replace(now, kind=OutcomeKind.ABORTED, obligations=(why, *now.obligations))


def _withdraw(presence: Presence) -> None:
    try:
        presence.withdraw()
    except (StoreError, CommitUnknown, Sealed) as error:
        log.info("the worker is still shown on the board, until others delete its row: %s", error)


def _halted(outcome: Outcome, how: str, why: str) -> Outcome:
    first = Obligation("**", f"the board is {how}: {why}", ("operator",), person=True)
    return replace(outcome, obligations=(first, *outcome.obligations))
