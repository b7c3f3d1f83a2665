"""A person as an external source, who acts through the command line or another program."""

from blackboard import Source, external
from blackboard import on as when
from knowledge_sources.settings import Triggers


def human(name: str, *, role: str = "operator", on: Triggers | None = None) -> Source:
    """Return an external source; its activations are on the agenda until the person has acted.

    Args:
        name: The person's name as an author.
        role: The person's role.
        on: The triggers that wake the person; None: any key becomes contested.
    """
    return external(name, role=role, on=when.contested("**") if on is None else on)
