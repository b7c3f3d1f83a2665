"""The values that a constraint's expression names, looked up in accepted contracts."""

from collections.abc import Callable
from typing import cast

from blackboard.contracts.constraint import ConstraintBody
from blackboard.contracts.language import Contract
from blackboard.spec.canonical import JSON
from blackboard.spec.expressions import Expression, Facet, Found, Lookup, Reference, Undecided, Wrong

_PLAIN = ("value", "text", "task")
"""Languages whose facets are the values themselves."""


def expression_of(contract: Contract) -> Expression:
    """Return the expression of a contract in this language."""
    return cast("ConstraintBody", contract.body).expression


def finder(decided: Callable[[str], Contract | None]) -> Lookup:
    """Return what looks up the values of an expression in decisions: key -> the accepted contract, None without one."""

    def lookup(reference: Reference) -> Found:
        contract = decided(reference.key)
        if contract is None:
            return Undecided(reference.key)
        if reference.facet is not None:
            return _facet(reference.key, reference.facet, contract)
        if contract.language not in ("value", "text"):
            return Wrong(f"{reference.key} is {contract.language}, which has facets and no values")
        return member(reference, contract.body)  # type: ignore[arg-type]

    return lookup


def member(reference: Reference, value: JSON) -> Found:
    """Return the value that a reference means in the JSON of its key."""
    for name in reference.path:
        if not isinstance(value, dict) or name not in value:
            return Wrong(f"{reference} does not exist")
        value = value[name]
    return value


def _facet(key: str, name: str, contract: Contract) -> Found:
    facets = contract.facets
    if name not in facets:
        return Wrong(f"{key} has no facet {name}")
    return facets[name] if contract.language in _PLAIN else Facet(contract.language, facets[name])
