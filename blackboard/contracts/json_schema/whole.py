"""A schema with all that it refers to."""

from blackboard.contracts.json_schema.documents import Document, Path
from blackboard.contracts.json_schema.literals import references_in
from blackboard.contracts.json_schema.normal import normal
from blackboard.errors import InvalidContract
from blackboard.spec.canonical import JSON, canonical_json

MAX_FACET_BYTES = 3_145_728


class Whole:
    """Spells schemas of one document, each with what its references name, and what is named there."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._bytes = 0
        self._normal: dict[Path, tuple[JSON, int, tuple[str, ...]]] = {}
        self._named: dict[str, Path | None] = {}

    def value(self, schema: JSON, *, but: Path | None = None) -> dict[str, JSON]:
        """Return a spelled schema, and under `refs` what it refers to.

        Args:
            but: What it is itself: a reference to that is known.

        Raises:
            InvalidContract: Its references multiply beyond measure.
        """
        refs: dict[str, JSON] = {}
        pending = list(references_in(schema))
        while pending:
            reference = pending.pop()
            if reference in refs:
                continue
            if reference not in self._named:
                self._named[reference] = self._document.named(reference)
            path = self._named[reference]
            if path is not None and path != but:
                refs[reference] = self.definition(path)
                _, size, inner = self._normal[path]
                self._bytes += size
                if self._bytes > MAX_FACET_BYTES:
                    why = f"its references make more than {MAX_FACET_BYTES:,} bytes of it"
                    raise InvalidContract(self._document.language, why)
                pending += inner
        return {"schema": schema, **({"refs": refs} if refs else {})}

    def definition(self, path: Path) -> JSON:
        """Return the spelled schema at a path."""
        if path not in self._normal:
            schema = normal(self._document, self._document.schemas[path])
            self._normal[path] = schema, len(canonical_json(schema)), tuple(dict.fromkeys(references_in(schema)))
        return self._normal[path][0]
