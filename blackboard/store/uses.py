"""What the code of a component relies on, by what others hold and implement at a revision."""

import json
import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Protocol

from blackboard.contracts.language import Contract
from blackboard.contracts.python.modules import Modules
from blackboard.contracts.uses.offers import Offer, Stubs
from blackboard.contracts.uses.python import Code
from blackboard.store.facts import Reads
from blackboard.store.statements import Statement

_HOLDERS = Statement("""
    SELECT k.id, f.version, f.path, b.content
    FROM component_file f JOIN key k ON k.id = f.key_id JOIN blob b ON b.digest = f.blob
    WHERE f.path IN (SELECT value FROM json_each(:paths)) AND k.key <> :own
      AND f.version = (SELECT t.version FROM tenure t WHERE t.key_id = k.id AND t.revision <= :at
        ORDER BY t.revision DESC LIMIT 1)
    ORDER BY k.key, f.path""")
_IMPLEMENTED = Statement("""
    SELECT DISTINCT k.key FROM pin p JOIN key k ON k.id = p.key_id
    WHERE p.component_id = :id AND p.component_version = :version AND p.side = 'implements' ORDER BY k.key""")
_IN_SQL = Statement("""
    SELECT DISTINCT k.key FROM version v JOIN key k ON k.id = v.key_id WHERE v.language = 'sql' ORDER BY k.key""")


_OF_DOCUMENTS = frozenset({"json-schema", "value"})


class _Decided(Protocol):
    @property
    def contract(self) -> Contract: ...


Accepted = Callable[[str], _Decided | None]
"""Key -> its accepted version at the revision."""


def observed_use(
    on: Reads, at: int, own: str, files: Mapping[str, bytes], accepted: Accepted
) -> dict[str, frozenset[str]]:
    """Return decision -> the facets that the code of a component relies on, none where it could and does not.

    Args:
        on: The board.
        at: The revision.
        own: The component; what it holds itself is nothing to rely on.
        files: path -> content of what it holds.
        accepted: Decisions as of the revision.
    """
    texts = {path: content.decode(errors="replace") for path, content in files.items() if path.endswith(".py")}
    if not texts:
        return {}
    code = Code(texts)
    offers: dict[str, Offer] = {}
    asked: set[str] = set()
    wanted = {path for module in code.modules for path in _paths(module)} | code.documents
    while wanted := wanted - asked:
        asked |= wanted
        _offer(on, at, own, wanted, accepted, offers)
        # A contract may speak of what another declares.
        imports = Stubs.of(tuple(offers.values())).imports.values()
        wanted = {path for names in imports for module, _ in names.values() for path in _paths(module)}
    for row in on.all(_IN_SQL) if code.has_sql else ():
        decided = accepted(row["key"])
        if decided is not None and decided.contract.language == "sql":
            offers.setdefault(row["key"], Offer(row["key"], decided.contract))
    used = code.uses(tuple(offers.values())) if offers else {}
    return {key: offer.contract.meant_by(used.get(key, ())) for key, offer in offers.items()}


def _offer(on: Reads, at: int, own: str, paths: Collection[str], accepted: Accepted, offers: dict[str, Offer]) -> None:
    """Add what those who hold files implement."""
    for row in on.all(_HOLDERS, {"paths": json.dumps(sorted(paths)), "own": own, "at": at}):
        path, content = row["path"], bytes(row["content"])
        module = next(iter(Modules.of({path: content.decode(errors="replace")}).found), None)
        for named in on.all(_IMPLEMENTED, {"id": row["id"], "version": row["version"]}):
            decided = accepted(named["key"])
            if decided is None:
                continue
            one = offers.get(named["key"], Offer(named["key"], decided.contract))
            language = one.contract.language
            if module is not None and module.name is not None and language == "python":
                offers[one.key] = replace(one, modules={**one.modules, module.name: frozenset(module.bound)})
            elif path.endswith(".json") and language in _OF_DOCUMENTS:
                offers[one.key] = replace(one, documents=one.documents | {path})


def _paths(module: str) -> list[str]:
    """Return the files that a module may be in; those of Python itself are nobody's."""
    if module.partition(".")[0] in sys.stdlib_module_names:
        return []
    path = module.replace(".", "/")
    return [f"{path}.py", f"{path}/__init__.py"]
