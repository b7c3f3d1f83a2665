"""The tester: judges a component by what it was built against and what was built."""

import pytest
from sources_kit import Answers, facets_shown, of_kind, run

from blackboard import Contract
from blackboard.testing import open_memory
from knowledge_sources import coder
from knowledge_sources import tester as by_reading

FAULT = {"passed": False, "log": "shop.py line 1: notes is no list"}


@pytest.fixture
def board():
    with open_memory() as opened:
        with opened.transaction("ann") as transaction:
            transaction.decide("api/notes", Contract.value({"id": "int", "title": "str"}))
            transaction.decide("task/shop", Contract.task(summary="sell", uses={"api/notes": ["id"]}))
        run(opened, coder("cora", Answers(answer={"files": {"shop.py": "notes = 1\n"}})), "shop")
        yield opened


def test_a_verdict_is_given_with_its_log(board):
    model = Answers(answer=FAULT)
    run(board, by_reading("tess", model, check="sense"), "shop")
    [verdict] = board.snapshot().verdicts("shop")
    assert (verdict.check, verdict.passed, verdict.log, verdict.version) == ("sense", False, FAULT["log"], 1)


def test_it_sees_the_files_and_what_they_were_built_against(board):
    model = Answers(answer=FAULT)
    run(board, by_reading("tess", model, check="sense"), "shop")
    [facts] = model.shown
    assert {("api/notes", "id"), ("task/shop", "uses")} <= facets_shown(facts)
    assert ("api/notes", "title") not in facets_shown(facts)
    [file] = of_kind(facts, "file")
    assert file.body == "notes = 1\n"
    assert of_kind(facts, "you")[0].header["check"] == "sense"


def test_what_was_judged_is_not_judged_again(board):
    model = Answers(answer=FAULT)
    for _ in range(2):
        run(board, by_reading("tess", model, check="sense"), "shop")
    assert len(model.shown) == 1


def test_what_is_woken_again_is_judged_again(board):
    model = Answers(answer=FAULT)
    run(board, by_reading("tess", model, check="sense"), "shop")
    run(board, by_reading("tess", model, check="sense"), "shop", cause=board.revision)
    assert len(model.shown) == 2


def test_testers_of_different_checks_do_not_refuse_each_other(board):
    def other():
        run(board, by_reading("toni", Answers(answer=FAULT), check="style"), "shop")

    run(board, by_reading("tess", Answers(answer=FAULT, meanwhile=other), check="sense"), "shop")
    assert {verdict.check for verdict in board.snapshot().verdicts("shop")} == {"sense", "style"}


def test_a_new_version_is_judged_anew(board):
    model = Answers(answer=FAULT)
    run(board, by_reading("tess", model, check="sense"), "shop")
    run(board, coder("cora", Answers(answer={"files": {"shop.py": "notes = []\n"}})), "shop")
    model.answer = {"passed": True, "log": "looked at shop.py"}
    run(board, by_reading("tess", model, check="sense"), "shop")
    assert [verdict.passed for verdict in board.snapshot().verdicts("shop")] == [True]


def test_what_is_not_built_is_not_judged(board):
    model = Answers(answer=FAULT)
    run(board, by_reading("tess", model, check="sense"), "till")
    assert model.shown == []


def test_the_source_is_known_to_run_its_check():
    assert by_reading("tess", Answers(answer=FAULT), check="sense").record.check == "sense"
