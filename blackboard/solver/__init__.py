"""The solver: whether the open questions have answers with which every constraint is true.

`problem` reads constraints, decisions and questions, `encoding` makes z3 terms of them (z3 is loaded when it is used),
`answer` calls z3 and returns the result. The solver runs after commits, never inside one.
"""

from blackboard.solver.answer import EFFORT, Kind, Member, Possible, possible

__all__ = ["EFFORT", "Kind", "Member", "Possible", "possible"]
