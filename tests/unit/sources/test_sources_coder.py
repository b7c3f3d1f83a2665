"""The coder: what it reads is what it shows and what its component is pinned to."""

import pytest
from sources_kit import Answers, facets_shown, of_kind, run

from blackboard import Conflict, Contract, NotPermitted
from blackboard.testing import open_memory
from knowledge_sources import coder


@pytest.fixture
def board():
    with open_memory() as opened:
        yield opened


def decide(board, **values):
    with board.transaction("ann") as transaction:
        for key, value in values.items():
            name = key.replace("__", "/")
            transaction.decision(name)
            transaction.decide(name, value if isinstance(value, Contract) else Contract.value(value))


def given_a_task(board, **task):
    decide(board, api__notes={"id": "int", "title": "str"}, api__log={"level": "info", "form": "json"}, other=1)
    task = {"implements": {"api/notes": []}, "uses": {"api/log": ["level"]}, "files": ["shop.py", "till.py"], **task}
    decide(board, task__shop=Contract.task(summary="sell notes", **task))


WRITES = {"files": {"shop.py": "notes = 1\n"}}


def test_what_the_prompt_shows_is_what_the_component_is_pinned_to(board):
    given_a_task(board)
    model = Answers(answer=WRITES)
    run(board, coder("cora", model), "shop")
    component = board.snapshot().component("shop")
    pinned = {(pin.key, pin.name) for pin in component.pins if pin.name}
    assert facets_shown(model.shown[0]) == pinned
    assert pinned == {
        ("api/notes", "id"),
        ("api/notes", "title"),
        ("api/log", "level"),
        *(("task/shop", facet) for facet in ("summary", "implements", "uses", "checks", "files")),
    }


def test_what_it_implements_is_pinned_as_implemented(board):
    given_a_task(board)
    run(board, coder("cora", Answers(answer=WRITES)), "shop")
    sides = {(pin.key, pin.side) for pin in board.snapshot().component("shop").pins}
    assert {("api/notes", "implements"), ("api/log", "uses"), ("task/shop", "uses")} == sides


def test_a_facet_that_the_task_does_not_name_may_change(board):
    given_a_task(board)
    run(board, coder("cora", Answers(answer=WRITES)), "shop")
    decide(board, api__log={"level": "info", "form": "text"})
    assert board.snapshot().component("shop").state == "current"
    decide(board, api__log={"level": "debug", "form": "text"})
    assert board.snapshot().component("shop").state == "stale"


def test_a_pattern_shows_everything_under_it(board):
    given_a_task(board, implements={}, uses={"api/*": []})
    model = Answers(answer=WRITES)
    run(board, coder("cora", model), "shop")
    assert {key for key, _ in facets_shown(model.shown[0])} == {"api/notes", "api/log", "task/shop"}


def test_a_component_that_is_current_is_left_alone(board):
    given_a_task(board)
    model = Answers(answer=WRITES)
    for _ in range(2):
        run(board, coder("cora", model), "shop")
    assert len(model.shown) == 1
    assert board.snapshot().component("shop").version == 1


def test_a_failed_check_is_mended_with_its_log_in_sight(board):
    given_a_task(board)
    model = Answers(answer=WRITES)
    run(board, coder("cora", model), "shop")
    with board.transaction("tess") as transaction:
        transaction.component("shop")
        transaction.verdict("unit", "shop", passed=False, log="line 1: notes is no list")
    model.answer = {"files": {"shop.py": "notes = []\n"}}
    run(board, coder("cora", model), "shop")
    [log] = of_kind(model.shown[1], "log")
    assert (log.header["check"], log.header["passed"], log.body) == ("unit", False, "line 1: notes is no list")
    [file] = of_kind(model.shown[1], "file")
    assert (file.header["path"], file.body) == ("shop.py", "notes = 1\n")
    assert board.snapshot().component("shop").text("shop.py") == "notes = []\n"


def written_twice(board, second):
    """Write two files, let a premise change, answer with something else, and return model and files."""
    given_a_task(board)
    model = Answers(answer={"files": {"shop.py": "notes = 1\nmore = 1\n", "till.py": "money = 2\n"}})
    run(board, coder("cora", model), "shop")
    decide(board, api__log={"level": "debug", "form": "json"})
    model.answer = second
    run(board, coder("cora", model), "shop")
    component = board.snapshot().component("shop")
    return model, {path: component.text(path) for path in component.files}


def test_a_file_that_is_not_named_stays_and_one_that_is_deleted_goes(board):
    _, files = written_twice(board, WRITES)
    assert files == {"shop.py": "notes = 1\n", "till.py": "money = 2\n"}
    with board.transaction("ann") as transaction:
        transaction.component("shop")
        transaction.verdict("unit", "shop", passed=False, log="till.py is of no use")
    run(board, coder("cora", Answers(answer={"delete": ["till.py"]})), "shop")
    assert set(board.snapshot().component("shop").files) == {"shop.py"}


def test_an_edit_replaces_a_passage_and_keeps_the_rest(board):
    _, files = written_twice(board, {"edits": [{"path": "shop.py", "search": "more = 1", "replace": "more = 2"}]})
    assert files == {"shop.py": "notes = 1\nmore = 2\n", "till.py": "money = 2\n"}


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        ({"edits": [{"path": "shop.py", "search": " = 1", "replace": " = 2"}]}, "is 2 times in shop.py"),
        ({"edits": [{"path": "shop.py", "search": "absent", "replace": "2"}]}, "is 0 times in shop.py"),
        ({"edits": [{"path": "new.py", "search": "a", "replace": "b"}]}, "new.py is no file of the component"),
        ({"delete": ["new.py"]}, "new.py is no file of the component"),
        ({"files": {"../shop.py": "a = 1"}}, "the files shop.py, till.py, and not ../shop.py"),
        ({"files": {"shop.py": "a = 1", "new.py": "a = 1", "lib/__init__.py": ""}}, "and not new.py"),
        ({"files": {"shop.py": "def sell(:\n"}}, "line 1: this is no Python"),
        ({"files": {"shop.py": "def sell() -> int:\n    ...\n"}}, "the body of sell is missing"),
        ({"files": {"shop.py": "# ... rest of the code unchanged\n"}}, "in place of code"),
        ({"files": {"shop.py": ""}}, "empty"),
        ({}, "names no file"),
    ],
)
def test_a_writing_that_cannot_be_used_is_sent_back_once_with_the_reason(board, bad, told):
    answers = iter([bad, WRITES])
    model, files = written_twice(board, lambda _: next(answers))
    assert files["shop.py"] == "notes = 1\n"
    assert len(model.shown) == 3
    assert told in model.said[-1]


def test_the_same_files_on_new_premises_make_a_component_current_again(board):
    given_a_task(board)
    model = Answers(answer=WRITES)
    run(board, coder("cora", model), "shop")
    decide(board, api__log={"level": "debug", "form": "json"})
    run(board, coder("cora", model), "shop")
    assert board.snapshot().component("shop").state == "current"


def test_a_key_without_a_task_is_nobodys_component(board):
    decide(board, shop=1)
    model = Answers(answer=WRITES)
    run(board, coder("cora", model), "shop")
    assert model.shown == []


def test_a_component_whose_premises_are_missing_waits_for_them_by_name(board):
    given_a_task(board, uses={"api/colours": []})
    model = Answers(answer=WRITES)
    with pytest.raises(NotPermitted) as refused:
        run(board, coder("cora", model), "shop")
    assert refused.value.waits_for == ("api/colours",)
    assert model.shown == []


def test_a_premise_that_changes_while_the_model_thinks_refuses_the_work_and_is_shown_the_next_time(board):
    given_a_task(board)
    changed = []

    def meanwhile():
        if not changed:
            changed.append(1)
            decide(board, api__log={"level": "debug", "form": "json"})

    model = Answers(answer=WRITES, meanwhile=meanwhile)
    source = coder("cora", model)
    with pytest.raises(Conflict) as refused:
        run(board, source, "shop")
    assert board.snapshot().component("shop") is None
    run(board, source, "shop", previous=refused.value)
    [told] = of_kind(model.shown[1], "refused")
    assert "api/log#level" in told.body
    assert board.snapshot().component("shop").state == "current"


def test_it_is_woken_for_what_is_required_stale_or_failed():
    source = coder("cora", Answers(answer=WRITES), checks=["unit"], max_concurrency=2)
    assert [trigger.to_json() for trigger in source.triggers] == [
        ["required", "*"],
        ["stale", "*"],
        ["failed", "conformance"],
        ["failed", "starts"],
        ["failed", "unit"],
    ]
    assert (source.name, source.role, source.max_concurrency) == ("cora", "coder", 2)
