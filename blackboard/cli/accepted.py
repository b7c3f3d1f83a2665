"""The text that shows which rules' breaks an operator accepted with a decision."""

from blackboard.choreography.values import OPERATOR
from blackboard.contracts.rules import accepted_in


def accepting(rationale: str, role: str) -> tuple[str, str]:
    """Split a rationale: return it without the line that accepts breaks, and that line as the end of a sentence."""
    rules = accepted_in(rationale) if role == OPERATOR else ()
    return (rationale.rpartition("\n")[0], f", accepting {', '.join(rules)}") if rules else (rationale, "")
