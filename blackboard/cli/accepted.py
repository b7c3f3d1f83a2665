"""The rules of the breaks that an operator accepted with a decision, as the commands show them."""

from blackboard.choreography.values import OPERATOR
from blackboard.contracts.rules import accepted_in


def accepting(rationale: str, role: str) -> tuple[str, str]:
    """Return an author's rationale without the line that accepts breaks, and that line as the end of a sentence."""
    rules = accepted_in(rationale) if role == OPERATOR else ()
    return (rationale.rpartition("\n")[0], f", accepting {', '.join(rules)}") if rules else (rationale, "")
