"""Experts who each care for other facets of one decision: what they agree on has the changes of all."""

import pytest
from simulated_teams import run

from blackboard import Contract, on
from blackboard.choreography import Choreography, Role, agree, each, quorum
from blackboard.control.simulation import virtual_board
from blackboard.control.source import knowledge_source
from blackboard.control.team import Team
from blackboard.spec.convergence import OutcomeKind

KEY = "api/notes"
BASE = {"ids": "int", "page": 20, "sort": "title"}
WISHES = {"anna": ("ids", "uuid"), "bert": ("page", 50), "cora": ("sort", "date")}
OPERATOR = Role("operator", reliable=True)


def expert(name):
    leaf, wanted = WISHES[name]

    @knowledge_source(name=name, role="expert", on=[on.accepted(KEY)])
    def improve(context):
        with context.transaction() as transaction:
            standing = transaction.decision(KEY)
            if standing.value[leaf] != wanted:
                transaction.propose(KEY, Contract.value({**standing.value, leaf: wanted}), rationale=f"{leaf}!")

    return improve


def reviewer(name):
    @knowledge_source(name=name, role="reviewer", on=[on.proposed(KEY)])
    def approve(context):
        with context.transaction() as transaction:
            for one in transaction.versions(KEY):
                if one.state == "proposed" and name not in {vote.author for vote in one.votes}:
                    transaction.vote(KEY, version=one.version, approve=True)

    return approve


def team(merge):
    step = agree(
        Role("expert", members=3, reliable=True).proposes("api/{name}"),
        by=quorum(2, of=Role("reviewer", members=2, reliable=True)),
        amendments=6,
        otherwise=OPERATOR.decides("api/{name}"),
    )
    protocol = Choreography("merging", each("api/{name}", step, at_most=3), merge=merge)
    members = [*map(expert, WISHES), *map(reviewer, ("rik", "ros"))]
    return Team("agree on notes", members, choreography=protocol)


@pytest.mark.parametrize("seed", range(6))
def test_experts_who_propose_at_once_end_with_the_changes_of_all(seed):
    with virtual_board() as board:
        board.install(team({"api/*": "facet"}))
        with board.transaction("boss", role="operator") as transaction:
            transaction.decide(KEY, Contract.value(BASE))
        outcome = run(board, team({"api/*": "facet"}), seed=seed)
        assert outcome.kind is OutcomeKind.CONVERGED, outcome
        assert board.snapshot().decision(KEY).value == {"ids": "uuid", "page": 50, "sort": "date"}
        assert any(len(one.bases) == 2 for one in board.snapshot().versions(KEY))
        board.verify()
