"""Contracts are compared as the table of changes says, which was written from the design alone."""

import pytest
from changes.every import EVERY as ROWS


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_the_comparison_agrees_with_the_table(row):
    old, new = row.contracts()
    comparison = old.compare(new)
    found = {side: str(comparison.effect(side)) for side in ("uses", "implements")}
    assert all(effect in row.expects(side) for side, effect in found.items()), (found, comparison.effects)
