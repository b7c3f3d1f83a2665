"""A board in a hundred dictionaries: what a commit does, written again from the design and not from the code.

It knows no digests, no tables, no plan and no footprint. It keeps a copy of everything at every revision; a read is
broken where its answer at the base is not its answer at the head. Of a team it knows that decisions rest on decisions.
"""

import copy

from store_model_board import Board, Built, Key, Version, facets, matches, sided

OPERATOR = "operator"
EVIDENCE = ("judged", "asked")


class Refused(Exception):
    """The commit would be refused with this error, for these keys."""

    def __init__(self, name, keys=()):
        self.name, self.keys = name, frozenset(keys)
        super().__init__(name, self.keys)


class Model:
    """All revisions of a board, and the feed."""

    def __init__(self, bound, *, team=False):
        self.bound, self.team = bound, team
        self.past = [Board()]
        self.feed: list[tuple] = []
        self.ruled: set[int] = set()  # revisions in which an operator accepted something

    @property
    def head(self):
        return self.past[-1]

    @property
    def revision(self):
        return len(self.past) - 1

    def begin(self, author, role=None):
        return Transaction(self, author, role)


class Transaction:
    """What one author read at the base, and wants."""

    def __init__(self, model, author, role):
        self.model, self.author, self.role = model, author, role
        self.base = model.head
        self.reads: dict[tuple, object] = {}
        self.pins: dict[tuple, str] = {}
        self.listed: set[str] = set()
        self.acts: list[tuple] = []
        self.drafts: dict[str, tuple] = {}

    # --- reads ---

    def read(self, *what):
        self.reads[what] = self.answer(self.base, what)

    def answer(self, board, what):
        """Return what a read gives on a board, in a form in which any difference is one that breaks it."""
        match what:
            case "whole", key:
                found = board.decision(key)
                return None if found is None else facets(found.value)
            case "facet", key, name:
                return board.facet(key, name)
            case "history", key:
                found = board.keys.get(key)
                return None if found is None else found.changed
            case "component", key:
                built = board.component(key)
                return None if built is None else len(board.keys[key].builds)
            case "questions", pattern:
                return {key: one.asked for key, one in board.keys.items() if one.asked and matches(pattern, key)}
            case kind, pattern:
                named = kind.removesuffix("s")
                return {
                    key: one.member
                    for key, one in board.keys.items()
                    if one.kind == named and one.member and matches(pattern, key)
                }

    def decision(self, key, names=None, side="uses"):
        found = self.base.decision(key)
        if found is None:
            self.read("whole", key)
            return
        if names is None:
            self.read("whole", key)
            names = [*facets(found.value), None]
        for name in names:
            self.read("facet", key, name)
            self.pins[key, name, side] = self.base.facet(key, name)

    def decisions(self, pattern):
        self.read("decisions", pattern)
        self.listed.add(pattern)
        for key, one in self.base.keys.items():
            if one.accepted and matches(pattern, key):
                self.decision(key)

    def components(self, pattern):
        self.read("components", pattern)
        for key, one in self.base.keys.items():
            if one.builds and matches(pattern, key):
                self.read("component", key)

    def was_read(self, key, kind):
        return ("history", key) in self.reads or ("whole" if kind == "decision" else "component", key) in self.reads

    # --- writes ---

    def act(self, *act):
        self.acts.append(act)

    def write(self, component, files, implements):
        if component in self.drafts:
            kept = self.drafts[component][0]
        elif ("component", component) in self.reads and self.base.component(component) is not None:
            kept = self.base.component(component).files
        else:
            kept = {}
        for name in implements:
            if "*" not in name and name not in {key for key, _, _ in self.pins}:
                self.decision(name, side="implements")
        self.drafts[component] = {**kept, **files}, implements

    def verdict(self, check, component, *, passed):
        """Judge a component with those that make what it uses, and what it was built against as that stands now."""
        for one in self.base.together(component):
            self.read("component", one)
        built = self.base.component(component)
        for key, name, _, _ in built.pins if built else ():
            self.read("facet", key, name)
        version = len(self.base.keys[component].builds) if built else 0
        self.act("judge", component, check, passed, version, self.base.inputs(component) if built else None)

    # --- the end ---

    def commit(self):
        """Return (revision, accepted), or raise `Refused`."""
        plan = Plan(self)
        refusal = None
        try:
            plan.make()
        except Refused as error:
            if error.name == "InvalidKey":
                raise
            refusal = error
        broken = {what[1] if what[0] in ("whole", "facet", "history", "component") else what for what in self.broken()}
        if broken and (refusal is not None or plan.changes or not (self.acts or self.drafts)):
            raise Refused("Conflict", self.named(broken))
        if refusal is not None:
            raise refusal
        if not plan.changes:
            return self.model.revision, ()
        self.model.past.append(plan.board)
        if self.role == OPERATOR and plan.accepted:
            self.model.ruled.add(plan.revision)
        self.model.feed.extend(
            (plan.revision, ordinal, kind, key, version, self.author)
            for ordinal, (kind, key, version) in enumerate(plan.changes)
        )
        return plan.revision, tuple(plan.accepted)

    def broken(self):
        return {what for what, answer in self.reads.items() if self.answer(self.model.head, what) != answer}

    def named(self, broken):
        """Return the keys that premises have to name: for a pattern, whatever joined or left it."""
        keys = {one for one in broken if isinstance(one, str)}
        for what in broken - keys:
            before, after = self.reads[what], self.answer(self.model.head, what)
            keys |= {key for key in {*before, *after} if before.get(key) != after.get(key)}
        return keys


class Plan:
    """The acts of a transaction, done one after the other on a copy of the head."""

    def __init__(self, transaction):
        self.of, model = transaction, transaction.model
        self.before = model.head
        self.board = copy.deepcopy(model.head)
        self.revision = model.revision + 1
        self.bound = model.bound
        self.feed = model.feed
        self.ruled = model.ruled
        self.amended = {act[1] for act in transaction.acts if act[0] in ("decide", "propose", "retract")}
        self.changes: list[tuple] = []
        self.accepted: list[tuple] = []
        self.judged: set[tuple] = set()
        self.asked: set[str] = set()

    def make(self):
        for act in self.of.acts:
            if act[0] != "judge":
                getattr(self, act[0])(*act[1:])
        pins = frozenset(
            (key, name, value, side) for (key, name, side), value in self.of.pins.items() if key not in self.amended
        )
        for component, (files, implements) in self.of.drafts.items():
            self.write(component, files, sided(pins, implements))
        for act in self.of.acts:
            if act[0] == "judge":
                self.judge(*act[1:])

        for key, found in self.board.keys.items():
            before = self.before.keys.get(key)
            if (before is not None and before.current is not None) is (found.current is None):
                found.member = self.revision

    def note(self, kind, key, version):
        self.changes.append((kind, key, version))
        self.board.keys[key].changed = self.revision

    def key(self, key, kind):
        found = self.board.keys.setdefault(key, Key(kind))
        if found.kind != kind:
            raise Refused("InvalidKey", [key])
        return found

    def need_read(self, key, kind):
        before = self.before.keys.get(key)
        if before is not None and before.current is not None and not self.of.was_read(key, kind):
            raise Refused("Conflict", [key])

    def ask(self, key, text):
        found = self.board.keys.get(key)
        if found is not None and found.question is not None:
            if found.question == text:
                return
            raise Refused("IllegalTransition", [key])
        if key in self.asked:
            raise Refused("IllegalTransition", [key])
        found = self.key(key, "decision")
        if found.state in ("absent", "retracted"):
            found.state = "open"
        found.question, found.asked = text, self.revision
        self.asked.add(key)
        self.note("asked", key, None)

    def close(self, found):
        if found.question is not None:
            found.question, found.asked = None, self.revision

    def decide(self, key, value):
        found = self.board.keys.get(key)
        if self.stands(key, value):
            # An open question is answered by what stands.
            if found.state == "contested" or found.question is not None:
                self.uphold(key, found)
            return
        self.add(key, value, ())

    def propose(self, key, value, evidence):
        found = self.board.keys.get(key)
        if self.stands(key, value):
            # Proposing is no right to settle what is contested, nor to end what others proposed.
            if found.question is not None and found.state == "accepted":
                self.answer(key, found)
            return
        if found is not None and any(one.state == "proposed" and one.value == value for one in found.versions):
            return
        self.add(key, value, evidence, ruling=False)

    def stands(self, key, value):
        """Say whether it is accepted already, and nobody says by it that it holds although what it rests on changed."""
        found = self.board.decision(key)
        looked_at_again = found is not None and self.of.was_read(key, "decision") and self.board.is_shaken(key)
        return found is not None and found.value == value and not looked_at_again

    def premises(self):
        """Return what a decision of this commit rests on: facets that were read of decisions that it leaves alone."""
        read = {what[1:]: value for what, value in self.of.reads.items() if what[0] == "facet" and value != "gone"}
        return {(key, name): value for (key, name), value in read.items() if key not in self.amended}

    def add(self, key, value, evidence, *, ruling=True):
        found = self.key(key, "decision")
        self.need_read(key, "decision")
        ruling = ruling and self.of.role == OPERATOR
        if not ruling:
            self.refuse_return(key, found, value, evidence)
        premises = self.premises() if self.of.model.team else {}
        found.versions.append(Version(value, self.of.author, premises=premises))
        version = len(found.versions)
        self.note("proposed", key, version)
        if self.of.role != OPERATOR and found.generation >= self.bound:
            found.state = "contested"
            self.note("contested", key, found.current)
            return
        if found.current is not None:
            found.versions[found.current - 1].state = "superseded"
        found.versions[-1].state = "accepted"
        self.reject(key, found)
        found.generation = 1 if self.of.role == OPERATOR else found.generation + 1
        found.state, found.current = "accepted", version
        self.close(found)
        self.accepted.append((key, version))
        self.note("accepted", key, version)

    def refuse_return(self, key, found, value, evidence):
        # What was superseded or retracted before this commit counts, not what this commit itself does.
        before = self.before.keys.get(key)
        former = [
            number
            for number, one in enumerate(before.versions if before else (), 1)
            if one.state in ("superseded", "retracted") and one.value == value
        ]
        if not former or (found.accepted and found.value == value):
            return
        since = self.proposed_at(key, found.current or former[-1])
        kinds = {revision: {one[2] for one in self.feed if one[0] == revision} for revision in evidence}
        news = [one for one in evidence if kinds[one] & set(EVIDENCE) or one in self.ruled]
        if not any(revision > since for revision in news):
            raise Refused("Returning", [key])

    def proposed_at(self, key, version):
        for revision, _, kind, name, number, _ in self.feed:
            if (kind, name, number) == ("proposed", key, version):
                return revision
        return self.revision

    def reject(self, key, found):
        for number, one in enumerate(found.versions, 1):
            if one.state == "proposed":
                one.state = "rejected"
                self.note("rejected", key, number)

    def uphold(self, key, found):
        self.reject(key, found)
        found.state = "accepted"
        self.answer(key, found)

    def answer(self, key, found):
        if self.of.role == OPERATOR:
            found.generation = 1
        self.close(found)
        self.accepted.append((key, found.current))
        self.note("accepted", key, found.current)

    def retract(self, key, reason):
        found = self.board.keys.get(key)
        if found is None or not found.accepted:
            raise Refused("IllegalTransition", [key])
        self.need_read(key, "decision")
        found.versions[found.current - 1].state, found.versions[found.current - 1].reason = "retracted", reason
        self.reject(key, found)
        gone, found.state, found.current = found.current, "retracted", None
        self.close(found)
        self.note("retracted", key, gone)

    def write(self, component, files, pins):
        standing = self.board.component(component)
        fresh = Built(dict(files), pins, frozenset(self.of.listed), self.of.author, self.revision)
        if standing is not None and self.board.freshness(component) == "current":
            same = (standing.files, standing.pins, standing.patterns) == (fresh.files, fresh.pins, fresh.patterns)
            if same:
                return
        found = self.key(component, "component")
        self.need_read(component, "component")
        found.builds.append(fresh)
        found.state, found.current = "written", len(found.builds)
        self.note("written", component, found.current)

    def judge(self, component, check, passed, version, inputs):
        built = self.board.component(component)
        if built is None or len(self.board.keys[component].builds) != version:
            raise Refused("IllegalTransition", [component])
        if built.verdicts.get(check) == (passed, inputs):
            return
        if (component, check) in self.judged:
            raise Refused("IllegalTransition", [component])
        self.judged.add((component, check))
        built.verdicts[check] = (passed, inputs)
        self.note("judged", component, version)
