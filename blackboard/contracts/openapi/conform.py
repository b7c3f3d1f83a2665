"""Whether the documents of OpenAPI among some files provide what was agreed.

Who uses a contract sends its requests and understands its answers, so a document conforms where becoming it would
break nobody of them: more operations, optional parameters and fewer answers are its own business. Several documents
are one interface: an operation is missing where none has it, and each that has it is held to what is agreed of it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from blackboard.contracts.facets import NAMES
from blackboard.contracts.finding import Finding
from blackboard.contracts.json_schema.literals import members
from blackboard.contracts.openapi.compare import compare
from blackboard.contracts.openapi.parts import Api
from blackboard.contracts.openapi.reading import read_api
from blackboard.contracts.openapi.text import lines_of, read_text
from blackboard.errors import InvalidContract, TooLarge
from blackboard.spec.effects import Effect

SUFFIXES = (".openapi.json", ".openapi.yaml", ".openapi.yml")

MAX_CHARACTERS = 1_048_576

_SAYS_SO = re.compile(r"""\bopenapi["']?\s*:""")
_STRUCTURED = (".json", ".yaml", ".yml")


def is_document(path: str, text: str) -> bool:
    """Say whether a file is a document of OpenAPI: it is called so, or says so at its top."""
    if f".{path.lower().rpartition('/')[2]}".endswith(SUFFIXES):
        return True
    if not path.lower().endswith(_STRUCTURED) or len(text) > MAX_CHARACTERS or not _SAYS_SO.search(text):
        return False
    try:
        return "openapi" in members(read_text(text))
    except InvalidContract:
        return False


def findings(body: Api, files: Mapping[str, str]) -> list[Finding]:
    """Return where documents do not provide what a contract declares.

    Args:
        body: The contract.
        files: Path -> text, documents of OpenAPI all of them.
    """
    found: list[Finding] = []
    read: dict[str, Api] = {}
    left = MAX_CHARACTERS
    for path, text in sorted(files.items()):
        left -= len(text)
        if left < 0:
            found.append(
                Finding(path, 0, f"more than {MAX_CHARACTERS:,} characters with the others; split the component")
            )
            continue
        try:
            read[path] = read_api(text)
        except InvalidContract as error:
            found.append(Finding(path, error.line, error.why))
        except TooLarge as error:
            found.append(Finding(path, 0, str(error)))
    # Who shares nothing with it is about something else.
    judged = [path for path, held in read.items() if body.inside.keys() & held.inside.keys()] or list(read)[:1]
    for path in judged:
        held = read[path]
        others = [one for other, one in read.items() if other != path]
        differing = dict(_differing(body, held, others, first=path == judged[0]))
        at = {facet: held.places.get(facet) or held.places.get(_subject(body, held, facet)) for facet in differing}
        lines = lines_of(files[path], filter(None, at.values()))
        found += [Finding(path, lines.get(at[facet] or (), 0), what) for facet, what in differing.items()]
    return sorted(found)


def _differing(body: Api, held: Api, others: Sequence[Api], *, first: bool) -> Iterator[tuple[str, str]]:
    """Yield (facet, what) of what one document has otherwise; the first one tells also what none of them has.

    A shared schema is told where it is sent.
    """
    for facet, change in compare(body, held).effects.items():
        subject = _subject(body, held, facet)
        if facet == NAMES or facet.startswith("schemas ") or change.uses is not Effect.BREAKING:
            continue
        if subject in held.parts:
            yield facet, f"{facet} is missing" if facet not in held.parts else f"{facet}: {change.reason}"
        elif first and facet == subject and not any(subject in other.parts for other in others):
            yield facet, f"{facet} is missing"


def _subject(body: Api, held: Api, facet: str) -> str:
    """Return the operation that a facet belongs to, else itself."""
    part = body.parts.get(facet) or held.parts.get(facet)
    return facet if part is None else part.operation or facet
