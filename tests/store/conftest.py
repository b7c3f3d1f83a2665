"""Processes in line, of which one leads and one owns an errand."""

import pytest
from lining import Line


@pytest.fixture
def line(location, monkeypatch):
    line = Line(location, monkeypatch)
    yield line
    line.close()


@pytest.fixture
def leader(line):
    return line.open()


@pytest.fixture
def owner(leader, line):
    return line.open()
