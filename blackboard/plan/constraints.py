"""Constraints on the state after the writes: none that is accepted may become false."""

from collections.abc import Iterable, Iterator, Mapping

from blackboard.contracts.bodies import contract_of
from blackboard.contracts.constraint import LANGUAGE, PREFIX, expression_of, finder
from blackboard.contracts.language import Contract
from blackboard.errors import Inconsistent, Term
from blackboard.plan.draft import Draft
from blackboard.plan.view import View
from blackboard.spec.expressions import Expression, Undecided, Wrong, judge, keys_of, references, shown
from blackboard.spec.records import VersionRecord


def falsified(draft: Draft, accepting: Iterable[VersionRecord] = ()) -> Inconsistent | None:
    """Return the first constraint, by key, that what the plan writes makes false, None where it makes none so.

    Args:
        draft: The plan so far.
        accepting: Versions that may be accepted as well.
    """
    accepted = {one.key: one for one in accepting}
    after = _After(draft.view, accepted)
    found = (after.broken(constraint) for constraint in concerned(draft, [*draft.reshaped, *accepted]))
    return next((one for one in found if one is not None), None)


def freed(draft: Draft) -> list[str]:
    """Return the keys under a constraint that the plan changes, or that names a key which the plan changes."""
    found: set[str] = set()
    for constraint in concerned(draft, draft.reshaped):
        for record in (draft.before.get(constraint), draft.view.key(constraint)):
            version = None if record is None else draft.view.version(constraint, record.current or 0)
            if version is not None and version.body.language == LANGUAGE:
                found.update(keys_of(expression_of(contract_of(version.body))))
    return sorted(found)


def concerned(draft: Draft, changed: Iterable[str]) -> list[str]:
    """Return the constraints, by key, that are or name what is changed."""
    found: set[str] = set()
    for key in changed:
        found.update(draft.view.naming(key))
        if key.startswith(PREFIX):
            found.add(key)
    return sorted(found)


class _After:
    """What is accepted after the writes."""

    def __init__(self, view: View, accepting: Mapping[str, VersionRecord]) -> None:
        self._view, self._accepting = view, accepting

    def broken(self, constraint: str) -> Inconsistent | None:
        contract = self._contract(constraint)
        if contract is None or contract.language != LANGUAGE:
            return None
        expression = expression_of(contract)
        truth = judge(expression, finder(self._contract))
        if truth.value is not False:
            return None
        return Inconsistent(constraint, " ".join(contract.text.split()), tuple(self._terms(expression)), truth.why)

    def _terms(self, expression: Expression) -> Iterator[Term]:
        lookup = finder(self._contract)
        for reference in references(expression):
            value, version = lookup(reference), self._version(reference.key)
            said = None if isinstance(value, Wrong | Undecided) else shown(value)
            decided = (None, None) if version is None else (version.version, version.author)
            yield Term(str(reference), reference.key, said, *decided)

    def _contract(self, key: str) -> Contract | None:
        version = self._version(key)
        return None if version is None else contract_of(version.body)

    def _version(self, key: str) -> VersionRecord | None:
        return self._accepting.get(key) or self._view.current_version(key)
