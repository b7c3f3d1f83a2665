"""Whatever is decided, by an operator or by other votes, the recipes converge on a program that is what was decided."""

import json
import shutil
import threading
from collections import Counter

import pytest
from recipes_runs import (
    COMBINATIONS,
    COMPONENTS,
    OPTIONS,
    decided,
    drawing,
    exported,
    holds,
    made_once,
    named,
    other,
    team,
    values_of,
    written_after,
)

from blackboard import Blackboard, Controller
from blackboard.testing import open_memory

PARTS = 2
LAST_MOMENT = 48
"""A run in which nothing is voted but what the modules offer each other has a few revisions more."""
ARCHITECT, REVIEWERS, MAJORITY = "arthur", ("rita", "rob", "ruby", "raj"), 3
USUAL = [{"kind": "uuid"}, {"made_by": "server"}, {"shape": "page"}, {"unit": "minutes"}, {"shape": "list"}]
"""What is accepted with the preferences that stand in the script."""


def share(part, length, seed):
    """Return the combinations of one of the tests that share them: all of them, or one drawn."""
    own = COMBINATIONS[part::PARTS]
    return own if length(0, 1) else [drawing(seed, part).choice(own)]


def converges(board, **values):
    outcome = Controller(board, team(**values)).run()
    assert outcome.kind == "converged", outcome.obligations


def is_what_was_decided(board, folder):
    passed, said = holds(exported(board, folder))
    assert passed, said


@pytest.mark.parametrize("part", range(PARTS))
def test_whatever_the_operator_decided_before_is_what_is_built(tmp_path, length, seed, part):
    for values in share(part, length, seed):
        with open_memory() as board:
            decided(board, values)
            converges(board)
            is_what_was_decided(board, tmp_path / named(values))
            found = values_of(board.snapshot())
            assert {key: found[key] for key in OPTIONS} == values
            assert not [change for change in board.changes(after=0) if change.kind == "asked" and change.key in OPTIONS]


@pytest.mark.parametrize("part", range(PARTS))
def test_whatever_the_operator_amends_while_it_is_built_is_what_is_built(tmp_path, length, seed, part):
    for values in share(part, length, seed):
        drawn = drawing(seed, named(values))
        moment, key = drawn.randint(2, LAST_MOMENT), drawn.choice(list(OPTIONS))
        with open_memory() as board:
            decided(board, values)
            amended = amending(board, moment, {key: other(key, values[key])})
            converges(board)
            amended.join()
            # The amendment may have come when all was done: a later commit reopens it.
            converges(board)
            is_what_was_decided(board, tmp_path / named(values))
            (revision,) = (one.revision for one in board.changes(after=1) if one.key == key and one.kind == "accepted")
            print(f"{named(values)}: {key} amended at {revision} of {board.revision}")  # noqa: T201
            found = values_of(board.snapshot())
            assert {name: found[name] for name in OPTIONS} == values | {key: other(key, values[key])}


def amending(board, moment, values):
    """Let the operator amend, in a thread of its own, as soon as a revision is there."""

    def amend():
        for changes in board.watch(after=0, timeout_seconds=60):
            if changes[0].revision >= moment:
                decided(board, values)
                return

    thread = threading.Thread(target=amend, name="operator")
    thread.start()
    return thread


def permuted(drawn):
    """Return other preferences: expert -> key -> the two answers, best first."""
    experts = (ARCHITECT, *REVIEWERS)
    return {name: {key: drawn.sample(list(options), 2) for key, options in OPTIONS.items()} for name in experts}


def accepted_by(prefers, key):
    """Return what three of four reviewers have to come to: what the architect wants if they do too, else the other."""
    first = prefers[ARCHITECT][key][0]
    likes = Counter(prefers[reviewer][key][0] == first for reviewer in REVIEWERS)
    return first if likes[True] >= MAJORITY else other(key, first)


def test_other_preferences_lead_to_what_most_of_them_prefer(tmp_path, length, seed):
    drawn = drawing(seed)
    for number in range(length(2, 12)):
        prefers = permuted(drawn)
        expected = {key: accepted_by(prefers, key) for key in OPTIONS}
        while list(expected.values()) == USUAL:
            prefers = permuted(drawn)
            expected = {key: accepted_by(prefers, key) for key in OPTIONS}
        with open_memory() as board:
            converges(board, prefers=json.dumps(prefers))
            is_what_was_decided(board, tmp_path / str(number))
            found = values_of(board.snapshot())
        assert {key: found[key] for key in OPTIONS} == expected


# ---- what an amendment changes --------------------------------------------------------------------------------------

RECIPE = "api/recipe"
AMENDED = {
    (RECIPE, "rating.scale"): {"service", "schema", "web_page"},
    (RECIPE, "order"): {"storage"},
    ("api/durations", "unit"): {"schema", "storage", "service", "cli", "web_page"},
    ("api/list", "shape"): {"http_api", "cli", "web_page"},
    ("api/errors", "shape"): {"http_api", "cli", "web_page"},
    ("api/ids", "kind"): {"schema", "service", "http_api", "cli", "web_page"},
    ("api/id_maker", "made_by"): {"service", "cli", "web_page"},
    (RECIPE, "title.limit"): {"service", "web_page"},
    (RECIPE, "servings.default"): {"service", "cli", "web_page"},
}
"""(key, facet) -> the components whose tasks name it."""

OF_RECIPE = {
    "rating.scale": {"rating": {"scale": 12}},
    "order": {"order": "rating"},
    "title.limit": {"title": {"limit": 60}},
    "servings.default": {"servings": {"default": 2}},
}
"""facet -> what of the recipe it changes."""


@pytest.fixture(scope="session")
def converged(tmp_path_factory):
    """A board on which the team is done; to be copied."""

    def make(folder):
        with Blackboard.open(folder / "board.db", create=True) as board:
            converges(board)

    return made_once(tmp_path_factory, "recipes-converged", make) / "board.db"


@pytest.mark.parametrize("part", range(3))
def test_an_amendment_rebuilds_what_relies_on_the_facet_and_nothing_else_would_do(tmp_path, converged, length, part):
    for key, facet in list(AMENDED)[part : length(3, len(AMENDED)) : 3]:
        folder = tmp_path / f"{key} {facet}".replace("/", " ")
        folder.mkdir()
        with Blackboard.open(shutil.copy(converged, folder / "board.db"), durability="normal") as board:
            _amend_and_compare(board, folder, key, facet)


def _amend_and_compare(board, folder, key, facet):
    before, old = board.snapshot(), exported(board, folder / "old")
    standing = before.decision(key).value
    amended = decided(board, {key: {**standing, **OF_RECIPE[facet]} if key == RECIPE else other(key, standing)})
    converges(board)
    after, new = board.snapshot(), exported(board, folder / "new")

    relying = {one.key for one in before.components() if (key, facet) in {(pin.key, pin.name) for pin in one.pins}}
    assert relying == AMENDED[key, facet]
    assert written_after(board, amended.revision) == relying
    for name in COMPONENTS - relying:
        assert after.component(name).version == before.component(name).version

    passed, said = holds(new)
    assert passed, said
    for name in relying:
        texts = before.component(name).files
        if texts == after.component(name).files:
            continue
        mixed = shutil.copytree(new, folder / f"old {name}")
        for path in texts:
            shutil.copy(old / path, mixed / path)
        passed, said = holds(mixed, stop_early=True)
        assert not passed, f"the old {name} does as well: {said}"
    shutil.copytree(new / ".spec", old / ".spec", dirs_exist_ok=True)
    passed, said = holds(old, stop_early=True)
    assert not passed, said


def test_what_the_scripted_operator_amends_midway_makes_the_old_texts_wrong(tmp_path, converged):
    with Blackboard.open(shutil.copy(converged, tmp_path / "board.db"), durability="normal") as board:
        (amended,) = {one.revision for one in board.changes(after=0) if one.author == "olga"}
        old, new = exported(board, tmp_path / "old", at=amended - 1), exported(board, tmp_path / "new")
        before, rewritten = board.snapshot(at=amended - 1), written_after(board, amended)
        assert {one.key for one in before.components()} == COMPONENTS
        passed, said = holds(old)
        assert passed, said
        for name in rewritten:
            mixed = shutil.copytree(new, tmp_path / f"old {name}")
            for path in before.component(name).files:
                shutil.copy(old / path, mixed / path)
            passed, said = holds(mixed, stop_early=True)
            assert not passed, f"the old {name} does as well: {said}"
        for name in COMPONENTS - rewritten:
            for path in before.component(name).files:
                assert (old / path).read_bytes() == (new / path).read_bytes()
        passed, said = holds(new)
        assert passed, said
