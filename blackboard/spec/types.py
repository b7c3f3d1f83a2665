"""Names of types that differ between languages: `int` is `integer`, `str` is `text`.

Types that are not listed are the same where they are spelled alike.
"""

import re
from collections.abc import Mapping, Sequence

from blackboard.spec.canonical import JSON, canonical_json

_SPELLINGS = {
    "integer": "int integer bigint smallint tinyint mediumint int2 int4 int8 serial bigserial smallserial",
    "text": "str text string varchar char nvarchar nchar character bpchar clob",
    "number": "float number real double float4 float8 decimal numeric",
    "boolean": "bool boolean",
    "bytes": "bytes blob bytea binary varbinary",
    "date": "date datetime.date",
    "time": "time datetime.time",
    "timestamp": "datetime timestamp timestamptz datetime.datetime",
    "uuid": "uuid uuid.uuid",
    "json": "json jsonb",
}
_NAMES = {spelling: name for name, spellings in _SPELLINGS.items() for spelling in spellings.split()}
_ARGUMENTS = re.compile(r"\s*\([\d\s,]*\)$")
_SECOND_WORDS = re.compile(r"^(double|character) (precision|varying)$")


def type_name(facet: JSON) -> str:
    """Return the name of the type that a facet declares; whether it may be absent and its default are not part of it.

    Args:
        facet: An annotation (`int | None = None`), a column's type (`varchar(20)`), or an object with a `type`.
    """
    if isinstance(facet, Mapping) and "type" in facet:
        return type_name(facet["type"])
    if isinstance(facet, Sequence) and not isinstance(facet, str):
        named = [one for one in facet if one != "null"]
        return type_name(named[0]) if len(named) == 1 else canonical_json(facet)
    if not isinstance(facet, str):
        return canonical_json(facet)
    # A signature and the value of an enum's member declare no type.
    plain = facet if facet.startswith(("(", "= ")) else facet.partition(" = ")[0]
    members = [one for one in plain.split(" | ") if one != "None"]
    plain = members[0] if len(members) == 1 else plain
    spelled = _SECOND_WORDS.sub(r"\1", _ARGUMENTS.sub("", plain.lower()))
    return _NAMES.get(spelled, plain)
