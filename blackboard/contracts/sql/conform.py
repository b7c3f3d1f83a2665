"""Whether the DDL of some files holds what a contract declares.

The files of a component are read as one text, in the order of their paths, as migrations are run. What declares
nothing (queries, rows) is passed over. Everything that the contract declares must be there and be the same; what the
files declare beyond it must not stop a row that the contract allows.
"""

from collections.abc import Mapping
from itertools import accumulate

from blackboard.contracts.facets import NAMES, Reading
from blackboard.contracts.finding import Finding
from blackboard.contracts.sql.compare import compare
from blackboard.contracts.sql.schema import Schema, facet_values
from blackboard.errors import InvalidContract, TooLarge
from blackboard.spec.effects import Effect


def findings(body: Schema, files: Mapping[str, str]) -> list[Finding]:
    """Return where files do not hold what a contract declares.

    Args:
        body: The contract.
        files: Path -> text; only what ends in `.sql` is looked at.

    Returns:
        What was found, by file and line; what is missing stands at its table, or at the first file.
    """
    from blackboard.contracts.sql.reading import read  # noqa: PLC0415 -- loaded with the first DDL

    texts = {path: text.rstrip("\n") for path, text in sorted(files.items()) if path.lower().endswith(".sql")}
    if not texts:
        return [Finding("", 0, "no .sql file: nothing holds what is declared")]
    # A file ends its last statement, whether or not it says so.
    begins = dict(zip(texts, accumulate((text.count("\n") + 2 for text in texts.values()), initial=0), strict=False))
    whole = "\n;\n".join(texts.values())
    try:
        held = read(whole, only=False)
    except InvalidContract as error:
        return [_at(begins, error.line, error.why)]
    except TooLarge as error:
        return [_at(begins, 0, str(error))]
    declared, there = dict(facet_values(body)), dict(facet_values(held))
    changes = compare(Reading(body, declared), Reading(held, there)).effects
    found = []
    for facet, change in changes.items():
        if facet != NAMES and (facet in declared or change.uses is Effect.BREAKING):
            missing = facet in declared and facet not in there
            what = f"{facet} is missing" if missing else f"{facet}: {change.reason}"
            found.append(_at(begins, _line(held, facet), what))
    return sorted(found)


def _line(held: Schema, facet: str) -> int:
    """Return the line of a facet, else that of its table, else 0."""
    within = [name for name in held.places if facet == name or facet.startswith(f"{name}.")]
    return held.places[max(within, key=len)][0] if within else 0


def _at(begins: Mapping[str, int], line: int, what: str) -> Finding:
    path, before = max(
        ((path, before) for path, before in begins.items() if before < max(line, 1)), key=lambda at: at[1]
    )
    return Finding(path, line and line - before, what)
