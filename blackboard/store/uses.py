"""What the code of components relies on, by what others hold and implement: at a revision, and in a plan.

What an import means does not depend on who was written first. A write is looked at in the plan, so at the head and with
what is written beside it; and where it offers more than the component did before, those written earlier whose code
names it are looked at again: what they turn out to rely on is pinned by a version that differs in nothing else.

What is agreed later than the code that relies on it is found in the same way, not when it is accepted: until a
component implements it, what an import means is not said by anybody. Who implements the decision has to be written
anew, or is suspect and passes its checks as it is, before the board converges; that is when others are looked at.
"""

import json
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple, Protocol

from blackboard.contracts.bodies import contract_of
from blackboard.contracts.language import Contract
from blackboard.contracts.python.modules import Modules
from blackboard.contracts.uses.offers import Offer, Stubs
from blackboard.contracts.uses.python import Code
from blackboard.spec.changes import Intent, Judge, Observe, Plan, Refusal, Write, amended_by
from blackboard.spec.effects import Side
from blackboard.spec.staleness import Built, FacetHead, Freshness, Pin
from blackboard.store import read
from blackboard.store.commit import Planner
from blackboard.store.facts import HeadFacts
from blackboard.store.statements import Reads, Statement

_HOLDERS = Statement("""
    SELECT k.id, f.version, f.path, b.content
    FROM component_file f JOIN key k ON k.id = f.key_id JOIN blob b ON b.digest = f.blob
    WHERE f.path IN (SELECT value FROM json_each(:paths)) AND k.key NOT IN (SELECT value FROM json_each(:own))
      AND f.version = (SELECT t.version FROM key_history t WHERE t.key_id = k.id AND t.revision <= :at
        ORDER BY t.revision DESC LIMIT 1)
    ORDER BY k.key, f.path""")
_NAMING = Statement("""
    SELECT k.id, k.key, k.current_version, c.author, c.role, c.revision FROM key k
    JOIN component_version c ON c.key_id = k.id AND c.version = k.current_version
    WHERE k.kind = 'component' AND k.key NOT IN (SELECT value FROM json_each(:written)) AND EXISTS (
      SELECT 1 FROM component_file f JOIN blob b ON b.digest = f.blob
      JOIN json_each(:words) w ON instr(b.content, CAST(w.value AS BLOB)) > 0
      WHERE f.key_id = k.id AND f.version = k.current_version AND f.path LIKE '%.py')
    ORDER BY k.key""")
_FILES = Statement("""
    SELECT f.path, f.blob, b.content FROM component_file f JOIN blob b ON b.digest = f.blob
    WHERE f.key_id = :id AND f.version = :version""")
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
    on: Reads, at: int, own: str, files: Mapping[str, bytes], accepted: Accepted, *, beside: Sequence[Write] = ()
) -> dict[str, frozenset[str]]:
    """Return decision -> the facets that the code of a component relies on, none where it could and does not.

    Args:
        on: The board.
        at: The revision.
        own: The component; what it holds itself is nothing to rely on.
        files: path -> content of what it holds.
        accepted: Decisions as of the revision.
        beside: What is written now, and stands for what these components held before.
    """
    code = _code(files)
    if code is None:
        return {}
    offers: dict[str, Offer] = {}
    asked: set[str] = set()
    wanted = {path for module in code.modules for path in _paths(module)} | code.documents
    while wanted := wanted - asked:
        asked |= wanted
        for path, content, implemented in _holding(on, at, own, wanted, beside):
            _offer(path, content, implemented, accepted, offers)
        # A contract may speak of what another declares.
        imports = Stubs.of(tuple(offers.values())).imports.values()
        wanted = {path for names in imports for module, _ in names.values() for path in _paths(module)}
    for row in on.all(_IN_SQL) if code.has_sql else ():
        decided = accepted(row["key"])
        if decided is not None and decided.contract.language == "sql":
            offers.setdefault(row["key"], Offer(row["key"], decided.contract))
    used = code.uses(tuple(offers.values())) if offers else {}
    return {key: offer.contract.meant_by(used.get(key, ())) for key, offer in offers.items()}


def _code(files: Mapping[str, bytes]) -> Code | None:
    texts = {path: content.decode(errors="replace") for path, content in files.items() if path.endswith(".py")}
    return Code(texts) if texts else None


def _holding(
    on: Reads, at: int, own: str, paths: Collection[str], beside: Sequence[Write]
) -> Iterator[tuple[str, bytes, Iterable[str]]]:
    """Yield (path, content, what its component implements) of those files."""
    anew = {own, *(write.component for write in beside)}
    for row in on.all(_HOLDERS, {"paths": json.dumps(sorted(paths)), "own": json.dumps(sorted(anew)), "at": at}):
        named = on.all(_IMPLEMENTED, {"id": row["id"], "version": row["version"]})
        yield row["path"], bytes(row["content"]), [one["key"] for one in named]
    for write in beside:
        for path in sorted(paths & write.files.keys()) if write.component != own else ():
            yield path, write.files[path][1], _implemented(write.pins)


def _implemented(pins: Iterable[Pin]) -> list[str]:
    return sorted({pin.key for pin in pins if pin.side is Side.IMPLEMENTS})


def _offer(path: str, content: bytes, implemented: Iterable[str], accepted: Accepted, offers: dict[str, Offer]) -> None:
    """Add what who holds a file implements."""
    module = next(iter(Modules.of({path: content.decode(errors="replace")}).found), None)
    for key in implemented:
        decided = accepted(key)
        if decided is None:
            continue
        one = offers.get(key, Offer(key, decided.contract))
        language = one.contract.language
        if module is not None and module.name is not None and language == "python":
            offers[key] = replace(one, modules={**one.modules, module.name: frozenset(module.bound)})
        elif path.endswith(".json") and language in _OF_DOCUMENTS:
            offers[key] = replace(one, documents=one.documents | {path})


def _paths(module: str) -> list[str]:
    """Return the files that a module may be in; those of Python itself are nobody's."""
    if module.partition(".")[0] in sys.stdlib_module_names:
        return []
    path = module.replace(".", "/")
    return [f"{path}.py", f"{path}/__init__.py"]


# --- in a plan -------------------------------------------------------------------------------------------------------


def observing(planner: Planner) -> Planner:
    """Return rules to which code relies on what it shows, whether it was read or not, and whoever was written first."""

    def planned(facts: HeadFacts, intent: Intent) -> Plan | Refusal:
        # Others may turn out to rely on more only by what is written, or passes as it is.
        if not any(isinstance(act, Write) or (isinstance(act, Judge) and act.passed) for act in intent.acts):
            return planner(facts, intent)
        look = _Look(facts, intent)
        acts = tuple(look.at(act) if isinstance(act, Write) else act for act in intent.acts)
        found = planner(facts, intent._replace(acts=(*acts, *look.again())))
        seen = found.footprint
        seen = seen._replace(keys=seen.keys | look.keys, builds=True)
        return found._replace(footprint=seen)

    return planned


class _Standing(NamedTuple):
    contract: Contract
    version: int


class _Look:
    """A look at what is written, at the head; `keys` are what it depends on beside components."""

    def __init__(self, facts: HeadFacts, intent: Intent) -> None:
        self._facts, self._intent = facts, intent
        self.writes = [act for act in intent.acts if isinstance(act, Write)]
        self._passed = {act.component for act in intent.acts if isinstance(act, Judge) and act.passed}
        self._amended = amended_by(intent.acts)
        self.keys: set[str] = set()

    def at(self, write: Write) -> Write:
        """Return a write with pins of what its code relies on and nobody read; it is validated like what was read."""
        contents = {path: content for path, (_, content) in write.files.items()}
        found: list[Pin] = []
        for key, version, names in self._unread(write.component, contents, write.pins):
            head, base = self._facts.head_facets(key), read.facet_heads(self._facts.on, key, self._intent.base)
            for name in sorted(names):
                found.append(_observed(key, name, version, head[name]))
                stood = base[name].digest if name in base else None
                self._intent.reads.facets.setdefault((key, name), stood)
        return write._replace(pins=_sorted([*write.pins, *found]))

    def again(self) -> Iterator[Observe]:
        """Yield the components, written earlier, whose code turns out to rely on more by what is written now."""
        words = sorted(
            {word for found in (*map(self._more, self.writes), *map(self._kept, self._passed)) for word in found}
        )
        written = [write.component for write in self.writes]
        asked = {"words": json.dumps(words), "written": json.dumps(written)}
        first = read.board_row(self._facts.on)["first_revision"] if words else 0
        for row in self._facts.on.all(_NAMING, asked) if words else ():
            built = self._facts.built(row["key"])
            rows = self._facts.on.all(_FILES, {"id": row["id"], "version": row["current_version"]})
            files = {one["path"]: (one["blob"], bytes(one["content"])) for one in rows}
            contents = {path: content for path, (_, content) in files.items()}
            pins = () if built is None else built.pins
            found: list[Pin] = []
            for key, version, names in self._unread(row["key"], contents, pins):
                head = self._facts.head_facets(key)
                then = read.facet_heads(self._facts.on, key, max(row["revision"], first))
                for name in sorted(names):
                    pin = _observed(key, name, version, head[name])
                    moved = name in then and then[name].digest != pin.digest
                    found.append(pin._replace(since=0, digest="") if moved else pin)
            if found and built is not None:
                yield Observe(row["key"], files, _sorted([*pins, *found]), built.patterns, row["author"], row["role"])

    def _unread(
        self, component: str, files: Mapping[str, bytes], pins: Sequence[Pin]
    ) -> Iterator[tuple[str, int, set[str]]]:
        """Yield (decision, its version, the facets that the code relies on and that are not pinned)."""
        known = {(pin.key, pin.name) for pin in pins}
        ours = self._amended.union(_implemented(pins))
        facts = self._facts
        used = observed_use(facts.on, facts.revision, component, files, self._accepted, beside=self.writes)
        for key, names in used.items():
            missing = {name for name in names if (key, name) not in known}
            decided = self._accepted(key) if missing and key not in ours else None
            if decided is not None:
                yield key, decided.version, missing

    def _accepted(self, key: str) -> _Standing | None:
        self.keys.add(key)
        record = self._facts.key(key)
        current = None if record is None or record.kind != "decision" else record.current
        version = None if current is None else self._facts.version(key, current)
        if version is None:
            return None
        return _Standing(contract_of(version.body), version.version)

    def _more(self, write: Write) -> Iterator[str]:
        """Yield the words under which a component offers what the one before it did not, or did otherwise."""
        built = self._facts.built(write.component)
        new = {path: content for path, (_, content) in write.files.items()}
        before = set() if built is None else self._offered(self._held(write.component, built), built.pins)
        for word, *_ in self._offered(new, write.pins) - before:
            yield word

    def _kept(self, component: str) -> Iterator[str]:
        """Yield the words under which a component offers what was agreed since it was written, if it is suspect."""
        built = self._facts.built(component)
        if built is not None and built.freshness is Freshness.SUSPECT:
            for word, *_ in self._offered(self._held(component, built), built.pins):
                yield word

    def _held(self, component: str, built: Built) -> dict[str, bytes]:
        row = self._facts.key(component)
        held = [] if row is None else self._facts.on.all(_FILES, {"id": row.id, "version": built.version})
        return {one["path"]: bytes(one["content"]) for one in held}

    def _offered(self, files: Mapping[str, bytes], pins: Sequence[Pin]) -> set[tuple[str, str, str, frozenset[str]]]:
        """Return (word under which it is found, decision, digest of its facets' names, which of them are bound)."""
        names = {pin.key: pin.digest for pin in pins if pin.side is Side.IMPLEMENTS and not pin.name}
        implemented = _implemented(pins)
        offers: dict[str, Offer] = {}
        for path, content in files.items() if implemented else ():
            _offer(path, content, implemented, self._accepted, offers)
        found: set[tuple[str, str, str, frozenset[str]]] = set()
        for key in implemented:
            decided = self._accepted(key)
            one = offers.get(key) or (None if decided is None else Offer(key, decided.contract))
            if one is None:
                continue
            facets = frozenset(one.contract.digests)
            said = key, names.get(key, "")
            found |= {(module.rpartition(".")[2], *said, bound & facets) for module, bound in one.modules.items()}
            found |= {(path, *said, frozenset()) for path in one.documents}
            if one.contract.language == "sql":
                found |= {(table, *said, frozenset()) for table in facets if "." not in table}
        return found


def _observed(key: str, name: str, version: int, head: FacetHead) -> Pin:
    return Pin(key, name, Side.USES, version, head.since, head.digest or "", observed=True)


def _sorted(pins: Iterable[Pin]) -> tuple[Pin, ...]:
    return tuple(sorted(pins, key=lambda pin: (pin.key, pin.name, pin.side)))
