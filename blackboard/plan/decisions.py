"""Acts on decisions: ask, propose, withdraw, vote, decide, retract, and what follows from each."""

from collections.abc import Mapping, Sequence

from blackboard.choreography import moves
from blackboard.choreography.values import OPERATOR
from blackboard.contracts.bodies import contract_of
from blackboard.errors import IllegalTransition, Inconsistent, InvalidKey, NotPermitted, Returning
from blackboard.plan import merging
from blackboard.plan.builds import named_in, wakes_of
from blackboard.plan.constraints import falsified, freed
from blackboard.plan.draft import Draft
from blackboard.plan.meaning import note_effects
from blackboard.plan.premises import is_looked_at_again, is_shaken, listen, premises_of
from blackboard.spec import keys
from blackboard.spec.agreement import Electorate, Tally, eligible, tally
from blackboard.spec.canonical import JSON
from blackboard.spec.changes import (
    Ask,
    Decide,
    NeedRow,
    Propose,
    QuestionRow,
    Retract,
    VersionRow,
    Vote,
    VoteRow,
    WakesRow,
    Withdraw,
)
from blackboard.spec.history import EVIDENCE, GENERATION_BOUND, UNRULED
from blackboard.spec.lifecycle import Event as Happening
from blackboard.spec.lifecycle import KeyState, State
from blackboard.spec.records import Body, KeyRecord, QuestionRecord, VersionRecord
from blackboard.spec.triggers import TriggerKind

TASK = "task/"


def ask(draft: Draft, act: Ask) -> None:
    """Open a question; the same question again is no change."""
    _writable(act.key)
    standing = draft.view.question(act.key)
    if standing is not None:
        if (standing.text, standing.options) == (act.question, act.options):
            return
        raise IllegalTransition(f"the question on {act.key}", "open", "asking another one")
    if any(isinstance(row, QuestionRow) and row.key == act.key for row in draft.rows):
        raise IllegalTransition(f"the question on {act.key}", "closed by the same commit", "asking it again")
    draft.permit("ask", act.key)
    record = _decision(draft, act.key)
    if record.state in (KeyState.ABSENT, KeyState.RETRACTED):
        draft.put(record, state=KeyState.OPEN)
    row = QuestionRow(act.key, act.question, act.options, draft.intent.author, draft.role)
    draft.view.questions[act.key] = QuestionRecord(act.key, act.question, act.options, row.author, row.role)
    draft.rows.append(row)
    draft.note("asked", act.key, None, row.content())
    draft.happen(TriggerKind.ASKED, act.key)
    draft.follow(moves.Opened(act.key))


def propose(draft: Draft, act: Propose) -> None:
    """Add proposed versions; where no rule has anybody vote, they are accepted at once."""
    for key, body in act.bodies:
        record = draft.view.key(key)
        if record is not None and _stands(draft, record, body) and draft.view.question(key) is not None:
            draft.permit("propose", key)
            if record.state is KeyState.ACCEPTED:
                _uphold(draft, record)
    fresh = [(key, body) for key, body in act.bodies if not _stands(draft, draft.view.key(key), body)]
    if not fresh or _is_up(draft, fresh):
        return
    joint = len(fresh) > 1
    if joint and any(isinstance(row, VersionRow) and row.joint for row in draft.rows):
        raise IllegalTransition("the joint proposal of this commit", "made", "another one beside it")
    versions = [_put_up(draft, key, body, act, joint=joint) for key, body in fresh]
    if joint and all(_tally(draft, one) is Tally.REACHED for one in versions):
        _accept_all(draft, versions)


def _put_up(draft: Draft, key: str, body: Body, act: Propose, *, joint: bool) -> VersionRecord:
    """Add one proposed version; alone and where nobody has to vote, it is accepted at once."""
    _writable(key)
    draft.permit("propose", key)
    record = _decision(draft, key)
    draft.require_read(record)
    _refuse_return(draft, record, body, act.evidence)
    base = merging.base_of(draft, record, body)
    agreed = _agreement(draft, key)
    number, electorate, quorum = 1, None, None
    if agreed is not None:
        electorate = eligible(draft.registry.roles.get(agreed.of, ()), draft.intent.author)
        quorum = agreed.quorum_of(len(electorate))
        if tally(Electorate(electorate, quorum), {}) is Tally.UNREACHABLE:
            # Nobody votes on a text of their own, so who may also vote leaves one voter less.
            sentence = f"{draft.intent.author} proposes {key}, on which {len(electorate)} others vote"
            raise NotPermitted(sentence, (), (f"{quorum} who may vote on it",))
        position = draft.view.position(key, agreed.path) or {}
        number = int(str(position.get("round", 1)))
    opens = not draft.view.proposed(key)
    version = draft.add(
        record,
        body,
        base=base,
        rationale=act.rationale,
        evidence=act.evidence,
        electorate=electorate,
        quorum=quorum,
        round=number,
        joint=joint,
        premises=premises_of(draft),
    )
    if electorate is None and not joint:
        _accept(draft, version, by_step=False)
        return version
    draft.happen(TriggerKind.PROPOSED, key)
    if record.state in (KeyState.ABSENT, KeyState.RETRACTED):
        draft.put(_decision(draft, key), state=KeyState.OPEN)
    if opens:
        draft.follow(moves.Opened(key))
    return version


def withdraw(draft: Draft, act: Withdraw) -> None:
    """Take one's own proposal back."""
    record = _proposal(draft, act.key, act.version, "withdrawing")
    if record.author != draft.intent.author and draft.role != OPERATOR:
        raise NotPermitted(
            f"{draft.intent.author} withdraws {act.key} {act.version}", (), (f"its author {record.author}",)
        )
    draft.permit("withdraw", act.key)
    draft.touch(act.key, "decision")
    draft.end(record, Happening.WITHDRAW, "")
    draft.lost(act.key)


def vote(draft: Draft, act: Vote) -> None:
    """Cast a vote; the one that decides accepts or rejects in this commit."""
    author = draft.intent.author
    cast = draft.view.votes(act.key, act.version).get(author)
    if cast is not None:
        if cast is act.approve:
            return
        raise IllegalTransition(f"{author}'s vote on {act.key} {act.version}", "cast", "voting otherwise")
    record = _proposal(draft, act.key, act.version, "a vote")
    sentence = f"{author} votes on {act.key} {act.version}"
    if record.electorate is None or author not in record.electorate:
        raise NotPermitted(sentence, (), (f"one of {', '.join(record.electorate or ()) or 'nobody'}",))
    draft.permit("vote", act.key)
    draft.touch(act.key, "decision")
    row = VoteRow(act.key, act.version, author, act.approve, act.reason)
    draft.rows.append(row)
    draft.view.cast.setdefault((act.key, act.version), {})[author] = act.approve
    draft.note("voted", act.key, act.version, row.content())
    _count(draft, record)


def decide(draft: Draft, act: Decide, *, installing: bool = False) -> None:
    """Accept a version by right; an operator's decision is a ruling, before which no bound of history stands."""
    ruling = draft.role == OPERATOR
    if not installing:
        _writable(act.key)
    record = draft.view.key(act.key)
    if record is not None and _stands(draft, record, act.body):
        if record.state is KeyState.CONTESTED or draft.view.question(act.key) is not None:
            draft.permit("decide", act.key)
            draft.reject_live(act.key, "the standing version was upheld")
            _uphold(draft, record)
        return
    if not installing:
        draft.permit("decide", act.key)
    record = _decision(draft, act.key)
    if not installing:
        draft.require_read(record)
    if not ruling:
        _refuse_return(draft, record, act.body, ())
    base = merging.base_of(draft, record, act.body)
    premises = () if installing else premises_of(draft)
    version = draft.add(record, act.body, base=base, rationale=act.rationale, premises=premises)
    _accept(draft, version, by_step=False)


def retract(draft: Draft, act: Retract) -> None:
    """Take an accepted decision back; what was built on it becomes orphaned."""
    _writable(act.key)
    record = draft.view.key(act.key)
    if record is None or record.kind != "decision" or record.current is None:
        state = "absent" if record is None else str(record.state)
        raise IllegalTransition(act.key, state, "retracting it")
    draft.permit("retract", act.key)
    record = draft.touch(act.key, "decision")
    draft.require_read(record)
    remove(draft, record, act.reason)


def remove(draft: Draft, record: KeyRecord, reason: str) -> None:
    """Retract an accepted version and everything that hangs on its being accepted."""
    version = draft.view.version(record.key, record.current or 0)
    if version is not None:
        draft.settle(version, Happening.RETRACT, reason)
    draft.reject_live(record.key, "the decision was retracted")
    draft.put(record, state=KeyState.RETRACTED, current=None, digest=None)
    draft.reshaped.append(record.key)
    draft.close(record.key)
    draft.note("retracted", record.key, record.current, None, reason=reason)
    draft.happen(TriggerKind.RETRACTED, record.key)
    draft.follow(moves.Retracted(record.key))
    if version is not None and record.key.startswith(TASK):
        _let_go(draft, record.key.removeprefix(TASK), version.body)
    if draft.view.needed(record.key):
        draft.happen(TriggerKind.REQUIRED, record.key)
        draft.follow(moves.Opened(record.key))


def _let_go(draft: Draft, component: str, body: Body) -> None:
    """Give up what only a retracted task required: its component, and decisions that nobody else waits for."""
    draft.rows.append(NeedRow(component, (), ()))
    draft.settled.append((component, ("required", "stale", "suspect", "failed", "written")))
    if body.language != "task":
        return
    fields: Mapping[str, JSON] = contract_of(body).facets
    for key in {*named_in(fields["implements"]), *named_in(fields["uses"])}:
        record = draft.view.key(key) if not keys.is_pattern(key) else None
        wanted = record is None or record.current is not None or draft.view.needed(key) - {component}
        if not wanted and draft.view.question(key) is None and not draft.view.proposed(key):
            draft.touch(key, "decision")
            draft.settled.append((key, ("required", "contested")))
            draft.follow(moves.Retracted(key))


# --- what follows ----------------------------------------------------------------------------------------------------


def _count(draft: Draft, record: VersionRecord) -> None:
    together = draft.view.joint(record)
    tallies = {one.key: _tally(draft, one) for one in together}
    if all(found is Tally.REACHED for found in tallies.values()):
        broken = _accept_unless_broken(draft, together)
        for one in together if broken is not None else ():
            draft.contest(one.key, f"if version {one.version} is accepted, {broken}")
    elif tallies[record.key] is Tally.UNREACHABLE:
        draft.end(record, Happening.LOST, "its quorum can no longer be reached")
        draft.lost(record.key)


def settle_freed(draft: Draft) -> None:
    """Accept what a quorum approved and a constraint stood against, where this commit leaves none that does."""
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
    return tally(Electorate(record.electorate, record.quorum), draft.view.votes(record.key, record.version))


def _accept_all(draft: Draft, together: Sequence[VersionRecord]) -> None:
    """Accept versions that were proposed jointly, or none of them."""
    bounded = [one.key for one in together if _bounded(draft, draft.touch(one.key, "decision"))]
    if not bounded:
        for one in together:
            _accept(draft, one, by_step=True)


def _bounded(draft: Draft, record: KeyRecord) -> bool:
    """Say whether a key has been amended too often, and is contested for it now."""
    if draft.role == OPERATOR or record.generation < GENERATION_BOUND:
        return False
    draft.contest(record.key, f"it was amended {record.generation} times {UNRULED}")
    return True


def _accept(draft: Draft, version: VersionRecord, *, by_step: bool) -> None:
    key = version.key
    record = draft.touch(key, "decision")
    if _bounded(draft, record):
        return
    current = record.current
    if current is not None:
        standing = None if version.base == current else draft.view.version(key, current)
        if standing is not None:
            # It stood beside another one that was accepted meanwhile: the changes of both stand.
            version, record = merging.merged(draft, version, standing), draft.touch(key, "decision")
        draft.replace(key, current)
    draft.settle(version, Happening.QUORUM, "")
    merging.end_rivals(draft, version)
    note_effects(draft, version)
    generation = 1 if draft.role == OPERATOR else record.generation + 1
    draft.put(
        record, state=KeyState.ACCEPTED, current=version.version, digest=version.body.digest, generation=generation
    )
    draft.reshaped.append(key)
    draft.close(key)
    draft.accepted.append((key, version.version))
    draft.note("accepted", key, version.version, {"digest": version.body.digest})
    draft.happen(TriggerKind.ACCEPTED, key)
    live = draft.view.proposed(key)
    draft.settled.append((key, ("asked", "contested", "required", "stale", *(() if live else ("proposed",)))))
    _watch(draft, version)
    if key.startswith(TASK) and version.body.language == "task":
        _require(draft, key.removeprefix(TASK), version.body)
    draft.follow(moves.Accepted(key, by_step))


def _watch(draft: Draft, version: VersionRecord) -> None:
    """Have those told who look at a decision again when its premises break; they may have while it was voted on."""
    for name in listen(draft, version):
        if is_shaken(draft, version.key, version.version):
            draft.wakes.append((name, version.key, str(TriggerKind.STALE)))


def _require(draft: Draft, component: str, body: Body) -> None:
    """Note what an accepted task requires: its component, and the decisions that the component waits for."""
    fields: Mapping[str, JSON] = contract_of(body).facets
    named = [*named_in(fields["implements"]), *named_in(fields["uses"])]
    needed = [key for key in named if not keys.is_pattern(key)]
    patterns = tuple(pattern for pattern in named if keys.is_pattern(pattern))
    found = [one.key for pattern in patterns for one in draft.view.keys(pattern) if one.kind == "decision"]
    draft.rows.append(NeedRow(component, tuple(dict.fromkeys(needed)), patterns, tuple(dict.fromkeys(found))))
    if draft.touch(component, "component").kind != "component":
        raise InvalidKey(component, f"it names a decision, so {TASK}{component} cannot have it built")
    if draft.view.built(component) is None:
        draft.note("required", component, None, None)
        draft.happen(TriggerKind.REQUIRED, component)
    else:
        draft.checked.append(component)
        draft.rows.append(WakesRow(component, wakes_of(draft, component)))
    for key in dict.fromkeys(needed):
        record = _decision(draft, key)
        if record.current is None:
            draft.note("required", key, None, None)
            draft.happen(TriggerKind.REQUIRED, key)
            if draft.view.question(key) is None and not draft.view.proposed(key):
                draft.follow(moves.Opened(key))


def _uphold(draft: Draft, record: KeyRecord) -> None:
    """Let what is accepted already be the answer: to a question, and by right for a contested key.

    What is up for a vote beside it stays so, until the votes decide.
    """
    record = draft.touch(record.key, "decision")
    generation = 1 if draft.role == OPERATOR else record.generation
    draft.put(record, state=KeyState.ACCEPTED, generation=generation)
    draft.close(record.key)
    draft.accepted.append((record.key, record.current or 0))
    draft.note("accepted", record.key, record.current, {"digest": record.digest})
    draft.settled.append((record.key, ("asked", "contested")))
    if not draft.view.proposed(record.key):
        draft.settled.append((record.key, ("proposed",)))
        draft.follow(moves.Accepted(record.key, by_step=False))


# --- small parts -----------------------------------------------------------------------------------------------------


def _writable(key: str) -> None:
    if keys.is_reserved(key):
        raise InvalidKey(key, "only the installation of a team writes it; change the team instead")


def _decision(draft: Draft, key: str) -> KeyRecord:
    record = draft.touch(key, "decision")
    if record.kind != "decision":
        raise InvalidKey(key, "it names a component; a decision needs another key")
    return record


def _stands(draft: Draft, record: KeyRecord | None, body: Body) -> bool:
    """Say whether what a text says is accepted already, and looked at since its premises changed.

    Then it is agreement, not a change.
    """
    if record is None or record.current is None:
        return False
    said = record.digest == body.digest or merging.says_all(draft, record, body)
    return said and not is_looked_at_again(draft, record)


def _is_up(draft: Draft, bodies: Sequence[tuple[str, Body]]) -> bool:
    """Say whether exactly these texts are up for a vote, together: then proposing them is agreement, not a change."""
    wanted = {key: body.digest for key, body in bodies}
    live = draft.view.proposed(bodies[0][0])
    return any({part.key: part.body.digest for part in draft.view.joint(one)} == wanted for one in live)


def _refuse_return(draft: Draft, record: KeyRecord, body: Body, evidence: tuple[int, ...]) -> None:
    former = draft.view.former(record.key, body.digest)
    if former is None or record.digest == body.digest:
        return
    current = draft.view.version(record.key, record.current) if record.current is not None else None
    # Of a retracted key no version stands: what came after the text that returns is newer.
    standing = current or draft.view.version(record.key, former)
    since = 0 if standing is None else standing.revision
    if not any(revision > since and EVIDENCE & set(draft.view.facts.kinds(revision)) for revision in evidence):
        raise Returning(record.key, former, record.current)


def _agreement(draft: Draft, key: str) -> moves.Agreement | None:
    """Return the rule by which others have to agree, None where nobody has to."""
    return moves.agreement(draft.registry.choreography, key) if draft.registry.choreography is not None else None


def _proposal(draft: Draft, key: str, version: int, event: str) -> VersionRecord:
    record = draft.view.version(key, version)
    if record is None:
        raise IllegalTransition(f"{key} version {version}", "absent", event)
    if record.state is not State.PROPOSED:
        raise IllegalTransition(f"{key} version {version}", str(record.state), event)
    return record
