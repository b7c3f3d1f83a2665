"""The recipes team, played in dictionaries."""

import pytest
from choreography_play import Play, recipes


@pytest.fixture
def play():
    return Play(recipes())


@pytest.fixture
def building(play):
    """The recipes team when `server` may be written."""
    play.decide("task/server", "planner")
    play.propose("api/ids")
    play.settle("api/ids")
    return play
