"""Knowledge sources: experts that read a board, ask a model or a person, and commit the answer.

    planner    on.accepted("prompt"): questions and tasks         architect  on.asked, on.required: proposes a version
    reviewer   on.proposed: votes                                 mediator   on.contested: decides
    coder      on.required, on.stale, on.failed: writes           tester     on.written, on.suspect: judges by reading
    human      a person as an external source                     Folder     synchronises a folder and the board
    possibilities   on.asked, on.accepted, on.retracted: asks which constraint to change when none can hold

Each is a function that takes a name, mostly a model, and returns a `Source`. Its execution is idempotent: run again
after a crash, it finds its commit and does nothing. The modules that they share:

    reading    reads of a transaction, recorded as facts                  facts      facts as blocks of a prompt
    model      asks any LangChain chat model for a reply                  replies    the shapes of replies
    prompts/   the instructions for each act                              scripted   a chat model for tests

This package imports only what `blackboard` exports.
"""

from knowledge_sources.architect import architect
from knowledge_sources.coder import coder
from knowledge_sources.files import Folder
from knowledge_sources.human import human
from knowledge_sources.mediator import mediator
from knowledge_sources.planner import planner
from knowledge_sources.possibilities import possibilities
from knowledge_sources.reviewer import reviewer
from knowledge_sources.scripted import ScriptedChatModel
from knowledge_sources.tester import tester

__all__ = [
    "Folder",
    "ScriptedChatModel",
    "architect",
    "coder",
    "human",
    "mediator",
    "planner",
    "possibilities",
    "reviewer",
    "tester",
]
