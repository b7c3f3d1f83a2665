"""Whether documents are valid by a schema: the first fault of each, with its line."""

from collections.abc import Mapping

from blackboard.contracts.finding import Finding
from blackboard.contracts.json_schema.judge import Judge
from blackboard.contracts.json_schema.literals import Effort, ExhaustedError
from blackboard.contracts.json_schema.positions import position
from blackboard.contracts.json_schema.schema import SchemaBody
from blackboard.spec.canonical import NotCanonical, parse_json

MAX_CHARACTERS = 1_048_576
_SHOWN = 200
_STEPS = 200_000


def findings(body: SchemaBody, files: Mapping[str, str]) -> list[Finding]:
    """Return where documents are not as a schema says.

    Args:
        body: The contract.
        files: Path -> text; only what ends in `.json` is looked at.

    Returns:
        At most one for each file: also for a document of which nobody can say in reasonable time whether it is valid.
    """
    found = []
    for path, text in sorted(files.items()):
        if not path.lower().endswith(".json"):
            continue
        if len(text) > MAX_CHARACTERS:
            found.append(Finding(path, 0, f"more than {MAX_CHARACTERS:,} characters; split it"))
            continue
        try:
            value = parse_json(text)
        except NotCanonical as error:
            found.append(Finding(path, error.line, error.why))
            continue
        try:
            fault = Judge(body.document, Effort(_STEPS, _STEPS)).fault(value)
        except ExhaustedError:
            found.append(Finding(path, 0, "not judged: it takes too much work to say whether it is as the schema says"))
            continue
        if fault is not None:
            place, what = fault
            line, _ = position(text, [str(part) for part in place])
            where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).removeprefix(".")
            said = what if len(what) <= _SHOWN else f"{what[:_SHOWN]}…"
            found.append(Finding(path, line, f"{where}: {said}" if where else said))
    return found
