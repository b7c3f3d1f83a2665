"""The sentences that describe facets of schemas: `title` and `description`; `$comment` and examples are for nobody.

A facet is described by what its value is made of, so also by the definitions that it refers to. The orders that mean
nothing in a schema mean nothing here.
"""

from collections.abc import Collection, Iterable, Mapping

from blackboard.contracts.documentation import sentences
from blackboard.contracts.json_schema.documents import LISTED_SCHEMAS, NAMED_SCHEMAS, Document, inside
from blackboard.contracts.json_schema.literals import members
from blackboard.errors import InvalidContract
from blackboard.spec.canonical import JSON

MAX_CHARACTERS = 16_777_216

PLACES = frozenset({"allOf", "properties", "items"})
"""Keywords under which schemas are that have facets of their own, or are given one by one."""

_Said = tuple[tuple[str, ...], str]
"""Where in a schema, without the order of alternatives, and a text."""


class Described:
    """The sentences of the facets of one document.

    Attributes:
        docs: Facet name -> sentences, for those that have any.
    """

    def __init__(self, document: Document) -> None:
        self._document = document
        self._characters = 0
        self._referred: dict[str, list[_Said]] = {}
        self.docs: dict[str, str] = {}

    def add(
        self, name: str, schemas: Iterable[JSON], references: JSON, *, but: Collection[str] = (), own: JSON = None
    ) -> None:
        """Describe a facet.

        Args:
            schemas: What its value was made of.
            references: Reference -> definition, of all that these refer to.
            but: Keywords of these schemas that have facets of their own.
            own: An object that describes it, beside its schemas.

        Raises:
            InvalidContract: References repeat descriptions beyond measure.
        """
        said = [one for schema in schemas for one in _said(schema, but=but)]
        for reference in members(references):
            if reference not in self._referred:
                self._referred[reference] = self._said_of(reference)
            said += self._referred[reference]
        found = [_text(own), *(f"{at[-1]}: {text}" if at else text for at, text in sorted(set(said)))]
        text = sentences(found)
        self._characters += len(text)
        if self._characters > MAX_CHARACTERS:
            why = f"its references make more than {MAX_CHARACTERS:,} characters of its descriptions"
            raise InvalidContract(self._document.language, why)
        if text:
            self.docs[name] = text

    def _said_of(self, reference: str) -> list[_Said]:
        """Return the sentences of a definition; many facets refer to one."""
        path = self._document.named(reference)
        found = [] if path is None else _said(self._document.schemas[path])
        return [((path[-1] if path else "#", *at), text) for at, text in found]


def _said(schema: JSON, *, but: Collection[str] = ()) -> list[_Said]:
    found: list[_Said] = []
    pending: list[tuple[tuple[str, ...], JSON]] = [((), schema)]
    while pending:
        at, one = pending.pop()
        if not isinstance(one, Mapping):
            continue
        if text := _text(one):
            found.append((at, text))
        for (keyword, *rest), inner in inside(one):
            # Definitions are described where a value refers to them.
            if keyword not in ("$defs", "definitions") and (at or keyword not in but):
                ordered = keyword in NAMED_SCHEMAS or keyword not in LISTED_SCHEMAS or keyword == "prefixItems"
                pending.append(((*at, keyword, *(rest if ordered else ())), inner))
    return found


def _text(one: JSON) -> str:
    said = [members(one).get(word) for word in ("title", "summary", "description")]
    return ": ".join(filter(None, (sentences([text]) for text in said)))
