"""A person in the team: woken like a source, acting through the command line or a program of their own."""

from blackboard import Source, external
from blackboard import on as when
from knowledge_sources.settings import Triggers


def human(name: str, *, role: str = "operator", on: Triggers | None = None) -> Source:
    """Return an external source: what wakes it stands on the agenda until the person has acted.

    Args:
        name: Its author's name.
        role: The role whose rights the person has.
        on: What asks for the person; None: a key that the team's rule could not settle.
    """
    return external(name, role=role, on=when.contested("**") if on is None else on)
