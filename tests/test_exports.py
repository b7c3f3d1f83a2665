"""The public surface is on purpose: what is exported is there, sorted, described, and what the errors' tree says."""

import inspect
import re
import subprocess
import sys
from types import ModuleType

import pytest
from tools import ROOT

import blackboard
import blackboard.choreography
import blackboard.on
import blackboard.solver
import blackboard.testing
import knowledge_sources
from blackboard import errors

PUBLIC = [
    blackboard,
    blackboard.choreography,
    blackboard.on,
    blackboard.solver,
    blackboard.testing,
    knowledge_sources,
]

DRAWN = """
BlackboardError
├── Refused: Conflict, NotPermitted, IllegalTransition, Returning, Inconsistent, Reserved, LeaseLost, KeyReused,
│            BudgetExhausted, Sealed
├── CommitUnknown
├── Invalid: InvalidKey, InvalidPath, InvalidContract, InvalidTeam, TooLarge
├── Compacted   Forked   TeamMismatch   RetryLater   GiveUp
├── StopRun: SandboxMissing
└── StoreError: NotABoard, SchemaMismatch, Unavailable, ReadOnly, Full, Damaged
"""
"""The tree as the design draws it."""

PREMISE = errors.Premise("api/notes", "id", "uses", '"int"', None, '"str"', "breaking", "ann", 57, "clients make ids")

SAMPLES: dict[errors.BlackboardError, set[str]] = {
    errors.BlackboardError("anything"): set(),
    errors.Refused("nothing happened"): set(),
    errors.Conflict([PREMISE], "repair"): {"premises", "action"},
    errors.NotPermitted("to vote", ["to ask"], ["api/notes"]): {"attempted", "permitted_now", "waits_for"},
    errors.IllegalTransition("version 2 of api/notes", "rejected", "a vote"): {"subject", "state", "event"},
    errors.Returning("api/notes", 1, 3): {"key", "version", "current"},
    errors.Inconsistent("constraint/ids", "a.x == b", [errors.Term("a.x", "a", "1", 3, "ann")], "b is text"): {
        "constraint",
        "expression",
        "terms",
        "why",
    },
    errors.Reserved("api/notes", "bob", 12.0): {"key", "holder", "expires_in_seconds"},
    errors.LeaseLost("shop", 7, 9): {"target", "token", "newest"},
    errors.KeyReused("c1", "ann"): {"idempotency_key", "author"},
    errors.BudgetExhausted("tokens", 1000, 200): {"resource", "limit", "wanted"},
    errors.Sealed("board.db", "ann", "handed over"): {"location", "by", "reason"},
    errors.CommitUnknown("c1", "disk I/O error"): {"idempotency_key"},
    errors.CommitUnknown("", "disk I/O error", act="the upgrade", step="run it again"): {"act"},
    errors.Invalid("a limit below 1"): set(),
    errors.InvalidKey("a/../b", "a segment is .."): {"text", "why"},
    errors.InvalidPath("web/.env", "names that begin with a dot belong to tools"): {"path", "why", "step"},
    errors.InvalidContract("python", "expected ':'", line=3, column=7): {"line", "column"},
    errors.InvalidTeam("two sources are called ann", "rename one"): {"repair"},
    errors.TooLarge("text", 2_000_000, 1_048_576): {"field", "limit"},
    errors.Compacted(3, 10): {"asked", "first"},
    errors.Forked("the board was restored"): set(),
    errors.TeamMismatch(["role/coder"]): {"differences"},
    errors.RetryLater("the provider is busy", seconds=7.0): {"reason", "seconds"},
    errors.GiveUp("the task names no file"): {"reason"},
    errors.StopRun("the key is not accepted: set another one"): {"reason"},
    errors.SandboxMissing("bwrap", "it is not found", "bubblewrap"): {"kind", "why", "package", "reason"},
    errors.StoreError("something of the store"): set(),
    errors.NotABoard("notes.txt", "it is a text file"): {"location"},
    errors.SchemaMismatch("board.db", "9", "1", newer=True): {"found", "needed"},
    errors.Unavailable("board.db", "there is no such file"): {"location"},
    errors.ReadOnly("board.db", "permission denied"): {"location"},
    errors.Full("board.db"): {"location"},
    errors.Damaged("board.db", "commit 12"): {"location", "where"},
}
"""Every error once, with the fields that a caller may rely on."""


def public_names(module: ModuleType) -> list[str]:
    """Return `__all__`; a module without one exports what it defines itself."""
    if hasattr(module, "__all__"):
        return list(module.__all__)
    return [
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and inspect.getmodule(value) is module and callable(value)
    ]


def parse_tree(text: str) -> dict[str, str]:
    """Return the classes that a drawn tree names: class -> parent."""
    joined = re.sub(r",\n *│ *", ", ", text)
    root = re.search(r"^\s*(\w+)$", joined, re.MULTILINE)
    assert root
    parents = {root[1]: "Exception"}
    for line in re.findall(r"[├└]── (.*)", joined):
        head, _, children = line.partition(":")
        parents |= dict.fromkeys(head.split(), root[1])
        parents |= {name.strip(): head.strip() for name in children.split(",") if name.strip()}
    return parents


def defined_errors() -> dict[str, str]:
    return {
        name: value.__base__.__name__
        for name, value in vars(errors).items()
        if inspect.isclass(value) and issubclass(value, Exception)
    }


# --- what is exported is there ---


@pytest.mark.parametrize("module", PUBLIC, ids=lambda module: module.__name__)
def test_every_exported_name_is_there_sorted_and_described(module: ModuleType) -> None:
    names = public_names(module)
    assert len(names) > 3
    assert len(set(names)) == len(names)
    if hasattr(module, "__all__"):
        assert names == sorted(names)
    undescribed = [name for name in names if callable(value := getattr(module, name)) and not inspect.getdoc(value)]
    assert undescribed == []


@pytest.mark.parametrize(
    "module", [blackboard, blackboard.choreography, knowledge_sources], ids=lambda module: module.__name__
)
def test_nothing_else_stands_at_the_front_door(module: ModuleType) -> None:
    loaded = {
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and not inspect.ismodule(value) and not inspect.isbuiltin(value)
    }
    helpers = {"TYPE_CHECKING", "Any", "import_module"} if module is blackboard else set()
    assert loaded - set(module.__all__) - helpers == set()


def test_dir_tells_what_is_exported_and_another_name_is_an_attribute_error() -> None:
    assert dir(blackboard) == blackboard.__all__
    with pytest.raises(AttributeError, match="no attribute 'Message'"):
        blackboard.Message  # noqa: B018 - the look-up is the test


def test_every_name_can_be_imported_by_name_in_a_new_process() -> None:
    program = "from blackboard import *; print(*sorted(name for name in dir() if not name.startswith('_')))"
    told = subprocess.check_output([sys.executable, "-c", program], text=True)
    assert told.split() == sorted(blackboard.__all__)


def test_the_front_door_has_every_name_of_the_design() -> None:
    design = """Blackboard Contract Decision Component Change Verdict Outcome Check Budget Team Controller Source
        Context Snapshot Transaction Lease Committed Impact Cursor knowledge_source external on"""
    assert set(design.split()) - set(blackboard.__all__) == set()


# --- errors ---


def test_the_errors_are_the_tree_of_the_design() -> None:
    assert defined_errors() == parse_tree(DRAWN)


def test_the_tree_at_the_top_of_the_module_is_the_same() -> None:
    drawn = parse_tree(errors.__doc__[errors.__doc__.index("    BlackboardError") :])
    assert drawn == parse_tree(DRAWN)


def test_every_error_is_at_the_front_door() -> None:
    assert set(defined_errors()) - set(blackboard.__all__) == set()
    assert {name for name in blackboard.__all__ if name.endswith("Error")} == {"BlackboardError", "StoreError"}


def test_every_error_says_what_happened_and_carries_it() -> None:
    assert {type(error).__name__ for error in SAMPLES} == set(defined_errors())
    for error, fields in SAMPLES.items():
        assert fields - set(vars(error)) == set(), error
        assert str(error).splitlines() == [str(error)]
        print(f"{type(error).__name__:18} {error}")  # noqa: T201 - a person reads the page: pytest -s -n 0


def test_a_wrong_tree_is_noticed() -> None:
    moved = DRAWN.replace("├── CommitUnknown\n", "").replace("Invalid: ", "Invalid: CommitUnknown, ")
    assert parse_tree(moved) != parse_tree(DRAWN)
    assert parse_tree(moved)["CommitUnknown"] == "Invalid"


# --- documented ---


def test_the_readme_or_a_docstring_of_the_package_names_what_is_exported() -> None:
    documented = (ROOT / "README.md").read_text("utf-8")
    missing = [name for name in blackboard.__all__ if not re.search(rf"\b{name}\b", documented)]
    assert missing == []


@pytest.mark.parametrize("raw", ["\x1b[2J", "\r", "\n", "\x9b", "\u202e", "\u200b", "\ufe0f", "\ud800"], ids=ascii)
def test_no_error_prints_what_a_terminal_would_obey_or_hide(raw: str) -> None:
    """Fields keep what the board holds; a text that a person sees is clean."""
    premise = errors.Premise("a", f"f{raw}", "uses", f'"{raw}"', None, raw, "breaking", f"ann{raw}", 57, raw)
    conflict = errors.Conflict([premise], "repair")
    term = errors.Term("a", "a", raw, 1, f"ann{raw}")
    inconsistent = errors.Inconsistent(f"constraint/{raw}", f"a == {raw}", [term], raw)
    given_up = errors.GiveUp(f"the model said {raw}")
    for shown in (*map(str, (premise, conflict, term, inconsistent, given_up)), f"{conflict}"):
        assert raw not in shown
        shown.encode()
    assert conflict.premises[0].current == raw
    assert given_up.reason == f"the model said {raw}"
