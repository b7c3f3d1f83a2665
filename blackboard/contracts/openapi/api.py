"""The language `openapi`: from a document to its facets."""

from blackboard.contracts.facets import Reading
from blackboard.contracts.openapi.compare import compare
from blackboard.contracts.openapi.parts import Api
from blackboard.contracts.openapi.reading import read_api
from blackboard.contracts.openapi.text import LANGUAGE
from blackboard.contracts.plain import laid_out
from blackboard.spec.canonical import JSON
from blackboard.spec.effects import Comparison


class OpenApi:
    """The language `openapi`: documents of OpenAPI 3.1, in JSON or YAML."""

    name = LANGUAGE

    def parse(self, text: str) -> Api:
        """Read a document; nothing is fetched.

        Raises:
            InvalidContract: It is no JSON or YAML, no OpenAPI 3.1, or refers to what is not in it.
            TooLarge: A facet's name is too long.
        """
        return read_api(text)

    def kept(self, text: str, body: Api) -> str:  # noqa: ARG002 -- part of the protocol
        """Keep the text as it was written."""
        return text

    def facets(self, body: Api) -> dict[str, JSON]:
        """Return one facet for each operation, parameter, body, status, media type and shared schema."""
        return body.facets

    def compare(self, old: Reading[Api], new: Reading[Api]) -> Comparison:
        """Say whom each changed facet breaks."""
        return compare(old.body, new.body)

    def skeleton(self, body: Api) -> str:
        """Return the document as JSON: a server can begin with it."""
        return laid_out(body.document.root)
