"""What is still possible: whether the open questions can be answered so that every constraint is true.

`problem` reads it from a board, `encoding` says it to z3 (loaded when it is used), `answer` asks and says what came out
in the board's words. It runs after commits, never inside one.
"""

from blackboard.solver.answer import EFFORT, Kind, Member, Possible, possible

__all__ = ["EFFORT", "Kind", "Member", "Possible", "possible"]
