"""The language `sql`: from a DDL text to its facets, and what a change of it means."""

from blackboard.contracts.facets import Facets, Reading
from blackboard.contracts.sql.compare import compare
from blackboard.contracts.sql.schema import LANGUAGE, Schema, facet_values
from blackboard.spec.canonical import JSON
from blackboard.spec.effects import Comparison


class Sql:
    """The language `sql`."""

    name = LANGUAGE

    def parse(self, text: str) -> Schema:
        """Read DDL in any of the usual dialects; nothing is executed.

        Raises:
            InvalidContract: It is no DDL, declares something twice, or is too much to be read soon.
        """
        # Why here: most boards have no DDL, and the library takes longer to load than all of ours.
        from blackboard.contracts.sql.reading import read  # noqa: PLC0415

        return read(text)

    def kept(self, text: str, body: Schema) -> str:  # noqa: ARG002 -- part of the protocol: `task` answers by the body
        """Keep the text as it was written."""
        return text

    def facets(self, body: Schema) -> dict[str, JSON]:
        """Return one facet for each column, each table's rules, each index and each view."""
        found = Facets(self.name)
        for name, value in facet_values(body):
            found.add(name, value)
        return found.values

    def compare(self, old: Reading[Schema], new: Reading[Schema]) -> Comparison:
        """Say what changed for both sides."""
        return compare(old, new)

    def skeleton(self, body: Schema) -> str:
        """Return the DDL: who implements it holds exactly this."""
        return body.text
