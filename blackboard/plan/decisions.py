"""Acts on decisions: ask, propose, withdraw, vote, decide, retract, and what follows from each."""

from collections.abc import Sequence

from blackboard.choreography import moves
from blackboard.choreography.values import OPERATOR
from blackboard.errors import IllegalTransition, Inconsistent, InvalidKey, NotPermitted, Returning
from blackboard.plan import merging
from blackboard.plan.builds import decisions_named, wakes_of
from blackboard.plan.constraints import falsified, freed
from blackboard.plan.draft import Draft
from blackboard.plan.premises import is_broken, note_effects, note_stale_listeners, premises_of, was_read_broken
from blackboard.spec import keys
from blackboard.spec.agreement import Tally, eligible, tally
from blackboard.spec.changes import Ask, Decide, NeedRow, Propose, Retract, Vote, WakesRow, Withdraw
from blackboard.spec.history import EVIDENCE, GENERATION_BOUND, UNRULED
from blackboard.spec.lifecycle import Event as VersionEvent
from blackboard.spec.lifecycle import KeyState, State
from blackboard.spec.records import Body, KeyRecord, QuestionRecord, VersionRecord
from blackboard.spec.triggers import TriggerKind

TASK = "task/"


def ask(draft: Draft, act: Ask) -> None:
    """Open a question; the same question again is no change."""
    _require_writable(act.key)
    known = draft.view.question(act.key)
    if known is not None and (known.text, known.options) == (act.question, act.options):
        return
    if known is not None:
        raise IllegalTransition(f"the question on {act.key}", "open", "asking another one")
    if any(isinstance(row, QuestionRecord) and row.key == act.key for row in draft.rows):
        raise IllegalTransition(f"the question on {act.key}", "closed by the same commit", "asking it again")
    draft.permit("ask", act.key)
    _open(draft, act.key)
    row = QuestionRecord(act.key, act.question, act.options, draft.intent.author, draft.role)
    draft.view.questions[act.key] = row
    draft.rows.append(row)
    draft.note("asked", act.key, None, row.content())
    draft.happen(TriggerKind.ASKED, act.key)
    draft.follow(moves.Opened(act.key))


def propose(draft: Draft, act: Propose) -> None:
    """Add proposed versions; where no rule asks for votes, they are accepted at once."""
    new = []
    for key, body in act.bodies:
        record = draft.view.key(key)
        if record is None or not _is_accepted_already(draft, record, body):
            new.append((key, body))
        elif draft.view.question(key) is not None:
            draft.permit("propose", key)
            if record.state is KeyState.ACCEPTED:
                _accept_again(draft, record)
    if not new or _is_proposed_already(draft, new):
        return
    joint = len(new) > 1
    if joint and any(isinstance(row, VersionRecord) and row.joint is not None for row in draft.rows):
        raise IllegalTransition("the joint proposal of this commit", "made", "another one in the same commit")
    versions = [_add_proposal(draft, key, body, act, joint=joint) for key, body in new]
    if joint and all(_tally(draft, one) is Tally.REACHED for one in versions):
        _accept_all(draft, versions)


def _add_proposal(draft: Draft, key: str, body: Body, act: Propose, *, joint: bool) -> VersionRecord:
    _require_writable(key)
    draft.permit("propose", key)
    record = _decision(draft, key)
    draft.require_read(record)
    _refuse_return(draft, record, body, act.evidence)
    base = merging.base_of(draft, record, body)
    electorate, quorum, number = _electorate(draft, key)
    is_first = not draft.view.proposed(key)
    version = draft.add(
        record,
        body,
        base=base,
        rationale=act.rationale,
        evidence=act.evidence,
        electorate=electorate,
        quorum=quorum,
        round=number,
        joint=draft.view.facts.revision + 1 if joint else None,
        premises=premises_of(draft),
    )
    if electorate is None and not joint:
        _accept(draft, version, by_step=False)
        return version
    draft.happen(TriggerKind.PROPOSED, key)
    _open(draft, key)
    if is_first:
        draft.follow(moves.Opened(key))
    return version


def _electorate(draft: Draft, key: str) -> tuple[tuple[str, ...] | None, int | None, int]:
    """Return who votes on a proposal of this author, how many have to agree, and in which round; None: nobody votes."""
    agreed = moves.agreement(draft.registry.choreography, key)
    if agreed is None:
        return None, None, 1
    author = draft.intent.author
    electorate = eligible(draft.registry.roles.get(agreed.of, ()), author)
    quorum = agreed.quorum_of(len(electorate))
    if tally(electorate, quorum, {}) is Tally.UNREACHABLE:
        # Nobody votes on their own text, so an author who is in the role leaves one voter less.
        sentence = f"{author} proposes {key}, on which {len(electorate)} others vote"
        raise NotPermitted(sentence, (), (f"{quorum} who may vote on it",))
    position = draft.view.position(key, agreed.path) or {}
    return electorate, quorum, int(str(position.get("round", 1)))


def withdraw(draft: Draft, act: Withdraw) -> None:
    """Take one's own proposal back."""
    record = _proposal(draft, act.key, act.version, "withdrawing")
    if record.author != draft.intent.author and draft.role != OPERATOR:
        sentence = f"{draft.intent.author} withdraws {act.key} {act.version}"
        raise NotPermitted(sentence, (), (f"its author {record.author}",))
    draft.permit("withdraw", act.key)
    draft.touch(act.key)
    draft.end(record, VersionEvent.WITHDRAW, "")
    draft.lost(act.key)


def vote(draft: Draft, act: Vote) -> None:
    """Cast a vote; the one that decides accepts or rejects in this commit."""
    author = draft.intent.author
    cast = draft.view.votes(act.key, act.version).get(author)
    if cast is act.approve:
        return
    if cast is not None:
        raise IllegalTransition(f"{author}'s vote on {act.key} {act.version}", "cast", "voting otherwise")
    record = _proposal(draft, act.key, act.version, "a vote")
    sentence = f"{author} votes on {act.key} {act.version}"
    if record.electorate is None or author not in record.electorate:
        raise NotPermitted(sentence, (), (f"one of {', '.join(record.electorate or ()) or 'nobody'}",))
    draft.permit("vote", act.key)
    draft.touch(act.key)
    row = act._replace(author=author)
    draft.rows.append(row)
    draft.view.cast.setdefault((act.key, act.version), {})[author] = act.approve
    draft.note("voted", act.key, act.version, row.content())
    _count(draft, record)


def decide(draft: Draft, act: Decide, *, installing: bool = False) -> None:
    """Accept a version by right; the decision of an operator may bring back an earlier text."""
    if not installing:
        _require_writable(act.key)
    record = draft.view.key(act.key)
    if record is not None and _is_accepted_already(draft, record, act.body):
        if record.state is KeyState.CONTESTED or draft.view.question(act.key) is not None:
            draft.permit("decide", act.key)
            draft.reject_live(act.key, "the standing version was upheld")
            _accept_again(draft, record)
        return
    if not installing:
        draft.permit("decide", act.key)
    record = _decision(draft, act.key)
    if not installing:
        draft.require_read(record)
    if draft.role != OPERATOR:
        _refuse_return(draft, record, act.body, ())
    base = merging.base_of(draft, record, act.body)
    premises = () if installing else premises_of(draft)
    version = draft.add(record, act.body, base=base, rationale=act.rationale, premises=premises)
    _accept(draft, version, by_step=False)


def retract(draft: Draft, act: Retract) -> None:
    """Take an accepted decision back; what was built on it becomes orphaned."""
    _require_writable(act.key)
    record = draft.touch(act.key)
    if not draft.view.has_accepted(act.key):
        raise IllegalTransition(act.key, str(record.state), "retracting it")
    draft.permit("retract", act.key)
    draft.require_read(record)
    remove(draft, record, act.reason)


def remove(draft: Draft, record: KeyRecord, reason: str) -> None:
    """Retract an accepted version, with what is proposed and asked about its key and what only it requires."""
    version = draft.view.current_version(record.key)
    if version is not None:
        draft.settle(version, VersionEvent.RETRACT, reason)
    draft.reject_live(record.key, "the decision was retracted")
    draft.put(record, state=KeyState.RETRACTED, current=None, digest=None)
    draft.reshaped.append(record.key)
    draft.close(record.key)
    draft.note("retracted", record.key, record.current, None, reason=reason)
    draft.happen(TriggerKind.RETRACTED, record.key)
    draft.follow(moves.Retracted(record.key))
    if version is not None and record.key.startswith(TASK):
        _drop_requirements(draft, record.key.removeprefix(TASK), version.body)
    if draft.view.needed(record.key):
        draft.happen(TriggerKind.REQUIRED, record.key)
        draft.follow(moves.Opened(record.key))


def _drop_requirements(draft: Draft, component: str, task: Body) -> None:
    """Settle the work that only a retracted task required: its component, and decisions that no other task names."""
    draft.rows.append(NeedRow(component, (), ()))
    draft.settled.append((component, ("required", "stale", "suspect", "failed", "written")))
    for key in dict.fromkeys(decisions_named(task)):
        if keys.is_pattern(key) or draft.view.question(key) is not None or draft.view.proposed(key):
            continue
        record = draft.view.key(key)
        if record is not None and record.current is None and not draft.view.needed(key) - {component}:
            draft.touch(key)
            draft.settled.append((key, ("required", "contested")))
            draft.follow(moves.Retracted(key))


# --- what follows ----------------------------------------------------------------------------------------------------


def _count(draft: Draft, record: VersionRecord) -> None:
    """Accept or reject a proposal if the votes decide it."""
    together = draft.view.joint(record)
    if _tally(draft, record) is Tally.UNREACHABLE:
        draft.end(record, VersionEvent.LOST, "its quorum can no longer be reached")
        draft.lost(record.key)
    elif all(_tally(draft, one) is Tally.REACHED for one in together):
        broken = _accept_unless_broken(draft, together)
        for one in together if broken is not None else ():
            draft.contest(one.key, f"if version {one.version} is accepted, {broken}")


def settle_freed(draft: Draft) -> None:
    """Accept what a quorum approved and a constraint forbade, where after this commit no constraint forbids it."""
    for key in freed(draft):
        record = draft.view.key(key)
        if record is None or record.state is not KeyState.CONTESTED or record.generation >= GENERATION_BOUND:
            continue
        for version in draft.view.proposed(key):
            together, before = draft.view.joint(version), len(draft.accepted)
            if all(_tally(draft, one) is Tally.REACHED for one in together):
                _accept_unless_broken(draft, together)
            if len(draft.accepted) > before:
                # What is accepted now may free others in its turn.
                settle_freed(draft)
                return


def _accept_unless_broken(draft: Draft, together: Sequence[VersionRecord]) -> Inconsistent | None:
    broken = falsified(draft, [merging.as_accepted(draft, one) for one in together])
    if broken is None:
        _accept_all(draft, together)
    return broken


def _tally(draft: Draft, record: VersionRecord) -> Tally:
    if record.electorate is None or record.quorum is None:
        return Tally.REACHED
    return tally(record.electorate, record.quorum, draft.view.votes(record.key, record.version))


def _accept_all(draft: Draft, together: Sequence[VersionRecord]) -> None:
    """Accept versions that were proposed jointly, or none of them."""
    bounded = [one.key for one in together if _contest_if_bounded(draft, draft.touch(one.key))]
    for one in together if not bounded else ():
        _accept(draft, one, by_step=True)


def _contest_if_bounded(draft: Draft, record: KeyRecord) -> bool:
    """Contest a key that was accepted as often as it may be without an operator, and say whether it was."""
    if draft.role == OPERATOR or record.generation < GENERATION_BOUND:
        return False
    draft.contest(record.key, f"it was amended {record.generation} times {UNRULED}")
    return True


def _accept(draft: Draft, version: VersionRecord, *, by_step: bool) -> None:
    key = version.key
    record = draft.touch(key)
    if _contest_if_bounded(draft, record):
        return
    if record.current is not None:
        other = None if version.base == record.current else draft.view.version(key, record.current)
        if other is not None:
            # It was accepted since this version was proposed: the result keeps the changes of both.
            version, record = merging.merged(draft, version, other), draft.touch(key)
    draft.settle(version, VersionEvent.QUORUM, "")
    merging.end_rivals(draft, version)
    note_effects(draft, version)
    generation = 1 if draft.role == OPERATOR else record.generation + 1
    current, digest = version.version, version.body.digest
    draft.put(record, state=KeyState.ACCEPTED, current=current, digest=digest, generation=generation)
    draft.reshaped.append(key)
    _note_accepted(draft, key, version.version, digest)
    draft.happen(TriggerKind.ACCEPTED, key)
    is_settled = not draft.view.proposed(key)
    draft.settled.append((key, ("asked", "contested", "required", "stale", *(("proposed",) if is_settled else ()))))
    for name in note_stale_listeners(draft, version):
        # Its premises may have broken while it was voted on.
        if is_broken(draft, key, version.version):
            draft.wakes.append((name, key, str(TriggerKind.STALE)))
    if key.startswith(TASK) and version.body.language == "task":
        _require(draft, key.removeprefix(TASK), version.body)
    draft.follow(moves.Accepted(key, by_step))


def _accept_again(draft: Draft, record: KeyRecord) -> None:
    """Let the accepted version be the answer to a question or contest; other proposals stay until votes decide."""
    record = draft.touch(record.key)
    generation = 1 if draft.role == OPERATOR else record.generation
    draft.put(record, state=KeyState.ACCEPTED, generation=generation)
    _note_accepted(draft, record.key, record.current or 0, record.digest or "")
    draft.settled.append((record.key, ("asked", "contested")))
    if not draft.view.proposed(record.key):
        draft.settled.append((record.key, ("proposed",)))
        draft.follow(moves.Accepted(record.key, by_step=False))


def _note_accepted(draft: Draft, key: str, version: int, digest: str) -> None:
    draft.close(key)
    draft.accepted.append((key, version))
    draft.note("accepted", key, version, {"digest": digest})


def _require(draft: Draft, component: str, task: Body) -> None:
    """Note what an accepted task requires: its component, and the decisions that the component waits for."""
    named = decisions_named(task)
    needed = tuple(dict.fromkeys(key for key in named if not keys.is_pattern(key)))
    patterns = tuple(name for name in named if keys.is_pattern(name))
    found = [one.key for pattern in patterns for one in draft.view.keys(pattern) if one.kind == "decision"]
    draft.rows.append(NeedRow(component, needed, patterns, tuple(dict.fromkeys(found))))
    if draft.touch(component, "component").kind != "component":
        raise InvalidKey(component, f"it names a decision, so {TASK}{component} cannot have it built")
    if draft.view.built(component) is None:
        _note_required(draft, component)
    else:
        draft.checked.append(component)
        draft.rows.append(WakesRow(component, wakes_of(draft, component)))
    for key in needed:
        if _decision(draft, key).current is None:
            _note_required(draft, key)
            if draft.view.question(key) is None and not draft.view.proposed(key):
                draft.follow(moves.Opened(key))


def _note_required(draft: Draft, key: str) -> None:
    draft.note("required", key, None, None)
    draft.happen(TriggerKind.REQUIRED, key)


# --- helpers ---------------------------------------------------------------------------------------------------------


def _require_writable(key: str) -> None:
    if keys.is_reserved(key):
        raise InvalidKey(key, "only the installation of a team writes it; change the team instead")


def _decision(draft: Draft, key: str) -> KeyRecord:
    record = draft.touch(key)
    if record.kind != "decision":
        raise InvalidKey(key, "it names a component; a decision needs another key")
    return record


def _open(draft: Draft, key: str) -> None:
    record = _decision(draft, key)
    if record.state in (KeyState.ABSENT, KeyState.RETRACTED):
        draft.put(record, state=KeyState.OPEN)


def _is_accepted_already(draft: Draft, record: KeyRecord, body: Body) -> bool:
    """Say whether the accepted version says what a text says: that is agreement, not a change.

    Whoever read a version whose premises broke, and decides the same text, confirms it: that is a change.
    """
    if record.current is None:
        return False
    is_same = record.digest == body.digest or merging.has_all_changes(draft, record, body)
    return is_same and not was_read_broken(draft, record)


def _is_proposed_already(draft: Draft, bodies: Sequence[tuple[str, Body]]) -> bool:
    """Say whether exactly these texts are proposed together: proposing them again is agreement, not a change."""
    wanted = {key: body.digest for key, body in bodies}
    live = draft.view.proposed(bodies[0][0])
    return any({part.key: part.body.digest for part in draft.view.joint(one)} == wanted for one in live)


def _refuse_return(draft: Draft, record: KeyRecord, body: Body, evidence: tuple[int, ...]) -> None:
    former = draft.view.former(record.key, body.digest)
    if former is None or record.digest == body.digest:
        return
    # Where the key was retracted, the evidence has to be newer than the text that returns.
    last = draft.view.current_version(record.key) or draft.view.version(record.key, former)
    since = 0 if last is None else last.revision
    if not any(revision > since and EVIDENCE & set(draft.view.facts.kinds(revision)) for revision in evidence):
        raise Returning(record.key, former, record.current)


def _proposal(draft: Draft, key: str, version: int, event: str) -> VersionRecord:
    record = draft.view.version(key, version)
    if record is None or record.state is not State.PROPOSED:
        state = "absent" if record is None else str(record.state)
        raise IllegalTransition(f"{key} version {version}", state, event)
    return record
