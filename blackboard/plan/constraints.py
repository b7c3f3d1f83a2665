"""Constraints on the state after the writes: none that is accepted may become false."""

from collections.abc import Callable, Iterable

from blackboard.contracts.bodies import contract_of
from blackboard.contracts.constraint import LANGUAGE, PREFIX
from blackboard.contracts.language import Contract
from blackboard.contracts.lookup import expression_of, finder
from blackboard.errors import Inconsistent, Term
from blackboard.plan.draft import Draft
from blackboard.spec.expressions import Undecided, Wrong, judge, keys_of, references, shown
from blackboard.spec.records import VersionRecord


def falsified(draft: Draft, accepting: Iterable[VersionRecord] = ()) -> Inconsistent | None:
    """Return the first constraint, by key, that the plan makes false if it also accepts some versions."""
    accepted = {one.key: one for one in accepting}

    def version_of(key: str) -> VersionRecord | None:
        return accepted.get(key) or draft.view.current_version(key)

    for constraint in concerned(draft, [*draft.reshaped, *accepted]):
        broken = _broken(constraint, version_of)
        if broken is not None:
            return broken
    return None


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


def _broken(constraint: str, version_of: Callable[[str], VersionRecord | None]) -> Inconsistent | None:
    def contract(key: str) -> Contract | None:
        version = version_of(key)
        return None if version is None else contract_of(version.body)

    body = contract(constraint)
    if body is None or body.language != LANGUAGE:
        return None
    expression, lookup = expression_of(body), finder(contract)
    truth = judge(expression, lookup)
    if truth.value is not False:
        return None
    terms = []
    for reference in references(expression):
        value, version = lookup(reference), version_of(reference.key)
        said = None if isinstance(value, Wrong | Undecided) else shown(value)
        decided = (None, None) if version is None else (version.version, version.author)
        terms.append(Term(str(reference), reference.key, said, *decided))
    return Inconsistent(constraint, " ".join(body.text.split()), tuple(terms), truth.why)
