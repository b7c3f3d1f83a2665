"""The languages `value` (JSON) and `text` (prose).

A value's facets are its leaves: scalars, lists and empty objects, named by their path (`limits.page_size`; a segment
that is no plain word is quoted as JSON). A root without members is the single facet `$`. A text is one facet, `text`.
"""

import json

from blackboard.contracts.facets import Facets, Reading, join, undecided
from blackboard.errors import InvalidContract
from blackboard.spec.canonical import JSON, NotCanonical, canonical_json, parse_json
from blackboard.spec.effects import Comparison

ROOT = "$"


class Value:
    """The language `value`: any JSON."""

    name = "value"

    def parse(self, text: str) -> JSON:
        """Read the JSON.

        Raises:
            InvalidContract: It is no strict JSON.
        """
        return read_json(self.name, text)

    def kept(self, text: str, body: JSON) -> str:  # noqa: ARG002 -- part of the protocol: `task` answers by the body
        """Keep the text as it was written."""
        return text

    def facets(self, body: JSON) -> dict[str, JSON]:
        """Return path -> leaf."""
        found = Facets(self.name)
        _leaves(body, "", found)
        return found.values

    def compare(self, old: Reading[JSON], new: Reading[JSON]) -> Comparison:
        """Call each changed leaf breaking."""
        return undecided(old.facets, new.facets)

    def skeleton(self, body: JSON) -> str:
        """Return the value, laid out for a reader."""
        return laid_out(body)


class Text:
    """The language `text`: prose, in which any change may matter."""

    name = "text"

    def parse(self, text: str) -> str:
        """Return the text as the body."""
        return text

    def kept(self, text: str, body: str) -> str:  # noqa: ARG002 -- part of the protocol: `task` answers by the body
        """Keep the text as it was written."""
        return text

    def facets(self, body: str) -> dict[str, JSON]:
        """Return the text as the one facet `text`."""
        return {"text": body}

    def compare(self, old: Reading[str], new: Reading[str]) -> Comparison:
        """Call any change breaking."""
        return undecided(old.facets, new.facets)

    def skeleton(self, body: str) -> str:
        """Return the text."""
        return body


def read_json(language: str, text: str) -> JSON:
    """Read strict JSON for a language.

    Raises:
        InvalidContract: It is no JSON, repeats a name, is nested too deeply, or has a NaN or a lone surrogate.
    """
    try:
        return parse_json(text)
    except NotCanonical as error:
        raise InvalidContract(language, error.why, line=error.line, column=error.column) from None


def write_json(language: str, value: JSON) -> str:
    """Write a value of a language as canonical JSON.

    Raises:
        InvalidContract: It is not JSON.
    """
    try:
        return canonical_json(value)
    except NotCanonical as error:
        raise InvalidContract(language, error.why, line=error.line, column=error.column) from None


def laid_out(value: JSON) -> str:
    """Return JSON with one member a line, names sorted."""
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False)


def _leaves(value: JSON, path: str, found: Facets) -> None:
    if isinstance(value, dict) and value:
        for name, member in value.items():
            here = join(path, name)
            if isinstance(member, dict):
                _leaves(member, here, found)
            else:
                found.add(here, member)
    else:
        found.add(path or ROOT, value)
