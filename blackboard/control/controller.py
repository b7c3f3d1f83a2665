"""The controller: it installs a team and works until the board has converged, or no source can continue.

A controller always ends, with an outcome: it waits only for events with a known time (the end of another worker's
lease, of a back-off, of a near deadline), without polling in a tight loop, and never for a person.
"""

from blackboard.board import Blackboard
from blackboard.control.team import Team
from blackboard.control.worker import Worker
from blackboard.spec.convergence import Outcome
from blackboard.store import agenda


class Controller:
    """Runs a team on a board until there is an outcome: it installs the team, then it is one worker of it.

    With a seed it runs one source at a time, in an order drawn from the seed: on a board with a `FakeClock` the same
    seed gives the same history. Without a seed, `workers` threads run sources.
    """

    def __init__(self, board: Blackboard, team: Team, *, workers: int = 4, seed: int | None = None) -> None:
        self._board = board
        self._team = team
        self._worker = Worker(board, team, workers=workers, seed=seed)

    def run(self) -> Outcome:
        """Install the team and work until the board converged, stalled, oscillates, or the budget is spent.

        Returns:
            The outcome; `aborted` after `stop`, after an interrupt from the keyboard, and if the store failed or was
            sealed.

        Raises:
            InvalidTeam: The team is not well formed.
            TeamMismatch: Another team is installed and has a live lease.
        """
        agenda.sweep(self._board.store)
        self._board.install(self._team)
        return self._worker.until_outcome()

    def stop(self) -> None:
        """End `run` soon with outcome `aborted`; its leases are released."""
        self._worker.stop()
