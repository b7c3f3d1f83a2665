"""Renderables of records; this module reads no store.

Invariant: every text of a record goes through `clean`, and becomes `Text`, which rich never reads as markup.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import singledispatch

from rich.console import Group, RenderableType
from rich.text import Text

from blackboard.clean import clean
from blackboard.cli.accepted import accepting
from blackboard.cli.affected import Affected
from blackboard.cli.records import (
    ActivationLine,
    Cause,
    ChangeLine,
    ComponentReport,
    DecisionReport,
    DiffReport,
    DoneReport,
    FacetLine,
    ImpactReport,
    KeyChange,
    ListReport,
    LogReport,
    QuestionLine,
    Record,
    StatusReport,
    VersionLine,
    WhyReport,
    merged_from,
)
from blackboard.cli.spending import budget_line, spent_lines, waiting_line
from blackboard.cli.workers import sentences
from blackboard.contracts.facets import difference
from blackboard.contracts.losing import Lost
from blackboard.solver import Kind, Possible
from blackboard.spec.convergence import Obligation
from blackboard.spec.effects import UNDECIDED

GOOD, DOUBTFUL, BAD, QUIET = "green", "yellow", "red", "dim"

STYLES = {
    "accepted": GOOD, "current": GOOD, "converged": GOOD, "leased": GOOD,
    "open": DOUBTFUL, "proposed": DOUBTFUL, "suspect": DOUBTFUL, "pending": DOUBTFUL, "required": DOUBTFUL,
    "contested": BAD, "stale": BAD, "orphaned": BAD, "dead": BAD, "looped": BAD, "rejected": BAD, "stalled": BAD,
    "oscillating": BAD, "budget_exhausted": BAD, "aborted": BAD,
}  # fmt: skip
"""State -> its colour, the same in every view."""

_VERBS = {"written": "wrote", "asked": "asked about", "raised": "raised a budget of"}
"""Verbs for kinds of changes that are no verb."""

Part = str | int | tuple[str, str]


_MOST_FACETS = 8
_THOUSANDS = 10_000
_APART = "   "


def words(*parts: Part) -> Text:
    """Return cleaned parts as one line; a pair is (text, style)."""
    text = Text()
    for part in parts:
        content, style = part if isinstance(part, tuple) else (str(part), "")
        text.append(clean(content), style)
    return text


def state(name: str) -> tuple[str, str]:
    """Return a state with its style."""
    return name, STYLES.get(name, "")


@singledispatch
def render(record: Record) -> RenderableType:
    """Return the renderable of a record."""
    raise TypeError(type(record).__name__)


@render.register
def _status(report: StatusReport) -> RenderableType:
    return Group(*_status_lines(report))


def _status_lines(report: StatusReport) -> Iterator[Text]:
    yield words(headline(report.kind, report.agenda), f" at revision {report.revision} of {report.location}")
    if report.halt:
        yield words("the board is ", (report.halt, DOUBTFUL))
    if report.fingerprint:
        yield words("fingerprint  ", report.fingerprint)
    for name, counts in (("decisions", report.decisions), ("components", report.components), ("agenda", report.agenda)):
        if counts:
            yield words(f"{name:<13}", _counted(counts))
    if report.budget:
        yield words("budget       ", "; ".join(budget_line(line) for line in report.budget))
    yield from (words("calls        ", line) for line in spent_lines(report.calls))
    yield from (words("running      ", waiting_line(line)) for line in report.waiting)
    yield from (words("worker       ", (text, DOUBTFUL if bad else "")) for text, bad in sentences(report.workers))
    if report.cycle:
        yield words("cycle        ", " -> ".join(report.cycle))
    yield from _possible_lines(report.possible or Possible(Kind.SATISFIABLE))
    left = _by_key(report.obligations)
    if left:
        yield words(f"left to do ({len(left)}):")
    for obligation in left:
        yield words("  ").append_text(obligation_line(obligation))
    if report.program:
        yield words("the program is in ", (report.program, "bold"))


def _possible_lines(possible: Possible) -> Iterator[Text]:
    """Yield lines about the answers that the constraints exclude or imply; nothing if they exclude none."""
    if possible.clash:
        yield words("impossible   ", ("no choice of options meets these together:", BAD))
        for member in possible.clash:
            yield words("  ", member.said)
    for key, option in sorted(possible.implied.items()):
        yield words("implied      ", (key, "bold"), f": of its options only {_plain(option)} is left")
    for key, options in sorted(possible.excluded.items()):
        if key not in possible.implied:
            yield words("excluded     ", (key, "bold"), f" cannot be {' or '.join(map(_plain, options))}")
    if possible.why:
        unknown = "perhaps fewer" if possible.clash else "not known"
        yield words("possible     ", (unknown, DOUBTFUL), f": {possible.why}")


def headline(kind: str, agenda: Mapping[str, int]) -> tuple[str, str]:
    """Return the kind of an outcome with its style; a stalled board with live leases is shown as at work."""
    return ("at work", DOUBTFUL) if kind == "stalled" and agenda.get("leased") else state(kind)


def holder(line: ActivationLine) -> str:
    """Return host and process, without the part of the host that identifies its boot."""
    host, _, process = line.holder.rpartition(":")
    return f"{host.split('/')[0]}:{process}"


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {name}" for name, number in counts.items())


def _by_key(left: Iterable[Obligation]) -> list[Obligation]:
    """Merge the obligations of one key that wait for the same."""
    reasons: dict[tuple[str, tuple[str, ...]], list[Obligation]] = {}
    for one in left:
        reasons.setdefault((one.key, one.waits_for), []).append(one)
    return [replace(found[0], reason="; ".join(one.reason for one in found)) for found in reasons.values()]


def obligation_line(obligation: Obligation) -> Text:
    """Return an obligation: its key, reasons, and for whom it waits."""
    return words((obligation.key, "bold"), ": ").append_text(reason_line(obligation))


def reason_line(obligation: Obligation) -> Text:
    """Return the reason of an obligation, and for whom it waits."""
    who = f" (waits for {', '.join(obligation.waits_for)})" if obligation.waits_for else ""
    return words(obligation.reason, (who, QUIET))


@render.register
def _why(report: WhyReport) -> RenderableType:
    return Group(*_why_lines(report))


def _why_lines(report: WhyReport) -> Iterator[Text]:
    if not report.state:
        yield words(report.key, ": the board has nothing under this key")
        return
    since = "" if report.since is None else f" since {report.since}"
    shaken = () if report.stale_since is None else (", ", state("stale"), f" since {report.stale_since}")
    yield words((report.key, "bold"), " is ", state(report.state), since, *shaken)
    for cause in report.causes:
        yield words("  ").append_text(cause_line(cause))
    for what, found in (("relies unread on", report.unread), ("does not use", report.unused)):
        for one in found:
            more = len(one.facets) - _MOST_FACETS
            rest = f" and {more} more" if more > 0 else ""
            yield words(f"  {what} ", one.key, ": ", ", ".join(one.facets[:_MOST_FACETS]), rest)
    for waited in report.waits_for:
        yield words("  waits for ", waited)
    for obligation in report.left:
        yield words("  left to do: ").append_text(reason_line(obligation))
    for activation in report.next:
        yield words("  next: ").append_text(next_line(activation))


def cause_line(cause: Cause) -> Text:
    """Return a cause: revision, author, act, rationale, and the changed facets."""
    role = f" ({cause.role})" if cause.role else ""
    because = f' "{cause.rationale}"' if cause.rationale else ""
    text = words((f"{cause.revision} ", QUIET), f"{cause.author}{role} ", cause.act, because)
    if cause.facets:
        text.append(": ").append_text(Text("; ").join(facet_line(line) for line in cause.facets))
    return text


def facet_line(line: FacetLine, between: str = ", ") -> Text:
    """Return the change of one facet, and its effect on each side."""
    effects = [
        (f"{effect} for {side}", STYLES["stale"] if effect == "breaking" else "")
        for side, effect in (("uses", line.uses), ("implements", line.implements))
        if effect and effect != "none"
    ]
    text = words(f"{line.facet} " if line.facet else "", line.reason)
    if effects:
        text.append(between).append_text(Text(", ").join(words(part) for part in effects))
    return text.append(f" ({UNDECIDED})", QUIET) if effects and line.proof == UNDECIDED else text


def next_line(line: ActivationLine) -> Text:
    """Return one activation: its lease, or since when it is pending."""
    text = words(line.source, " on ", (line.target, "bold"), f", rating {line.rating:g}, ", state(line.state))
    if line.expires_in_seconds is not None:
        text.append_text(words(f" by {holder(line)} for {line.expires_in_seconds:.0f} s"))
    text.append_text(words(f" since {line.since} ({line.kind})"))
    if line.attempts:
        text.append_text(words(f", {line.attempts} attempts"))
    return text.append_text(words((f": {line.reason}", QUIET))) if line.reason else text


@render.register
def _impact(report: ImpactReport) -> RenderableType:
    return Group(*_impact_lines(report))


def _impact_lines(report: ImpactReport) -> Iterator[Text]:
    for change in report.changes:
        yield from _key_change(change, "" if report.revision else "would ")
    yield from _affected(report.affected)
    if not report.changes:
        yield words("nothing changes: this is accepted already")
    if report.refused_by:
        by = f" by {report.constraint}" if report.constraint else ""
        more = ";  amend them together:" if report.together else ""
        yield words((f"  refused{by}: ", BAD), report.refused_by, more)
    if report.together:
        yield words("  ", report.together)
    if report.revision is not None:
        yield words(f"committed as revision {report.revision}")


def _affected(found: Affected) -> Iterator[Text]:
    """Yield lines for the affected components, suspect ones last."""
    to_rework = (("stale", found.stale), ("orphaned", found.orphaned))
    parts = [words(state(name), f": {', '.join(keys)}") for name, keys in to_rework if keys]
    if parts:
        cost = f"; about {_in_short(found.tokens)} tokens at this run's rate" if found.tokens else ""
        parts[-1].append(f"  ({len(found.rework)} of {found.components} components{cost})")
    if found.suspect:
        parts.append(words(state("suspect"), f": {', '.join(found.suspect)}"))
    if parts:
        yield Text("  ").append_text(Text("     ").join(parts))
    if found.decisions:
        yield words("  decisions ", state("stale"), f": {', '.join(found.decisions)}")


def _in_short(amount: int) -> str:
    return f"{amount / 1000:.0f}k" if amount >= _THOUSANDS else f"{amount:,}"


def _proof(line: FacetLine) -> Iterator[Text]:
    if line.proof not in ("", UNDECIDED):
        yield words(f"  {line.facet or 'the set of facets'}: this worked, and no longer does")
        yield from _block(line.proof)


def _key_change(change: KeyChange, modal: str = "") -> Iterator[Text]:
    if change.old is None:
        verb, versions = ("decide" if modal else "decided"), f" as version {change.new}"
    elif change.new is None:
        verb, versions = ("retract" if modal else "retracted"), f" {change.old}"
    else:
        verb, versions = ("amend" if modal else "amended"), f" {change.old} -> {change.new}"
    head = words(f"{modal}{verb} ", (change.key, "bold"), versions, merged_from(change.bases))
    lines = shown_facets(change.facets)
    if len(lines) == 1:
        yield head.append(":  ").append_text(facet_line(lines[0], _APART))
        return
    yield head
    for line in lines:
        yield words("  ").append_text(facet_line(line, _APART))


def shown_facets(lines: Sequence[FacetLine]) -> Sequence[FacetLine]:
    """Return the facets to show: the set of names only if no other facet changed, or if the language changed."""
    named = [line for line in lines if line.facet]
    return [line for line in lines if line.facet or not named or line.reason.startswith("language ")]


@render.register
def _done(report: DoneReport) -> RenderableType:
    accepted = [words((key, "bold"), f" {version} is ", state("accepted")) for key, version in report.accepted]
    return Group(*(words(f"{report.revision} ", act) for act in report.acts), *accepted)


@render.register
def _decision(report: DecisionReport) -> RenderableType:
    return Group(*_decision_lines(report))


def _decision_lines(report: DecisionReport) -> Iterator[Text]:
    version = "" if report.current is None else f", version {report.current}"
    yield words((report.key, "bold"), " is ", state(report.state), version)
    for question in report.questions:
        yield words("  ").append_text(question_line(question))
    for shown in report.versions:
        yield from _version_lines(shown)


def question_line(line: QuestionLine) -> Text:
    """Return an open question with its options."""
    options = f" [{' | '.join(_plain(option) for option in line.options)}]" if line.options else ""
    return words((f"{line.revision} ", QUIET), f"{line.author} asked: ", line.question, options)


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _version_lines(line: VersionLine) -> Iterator[Text]:
    role = f" ({line.role})" if line.role else ""
    rationale, rules = accepting(line.rationale, line.role)
    because = f' "{rationale}"{rules}' if rationale else rules
    head = words(f"  version {line.version}, ", state(line.state), f", {line.language}, ")
    made = merged_from(line.bases)
    yield head.append_text(words((f"{line.revision} ", QUIET), f"{line.author}{role}{made}", because))
    if line.electorate is not None:
        yield words(f"    needs {line.quorum} of {', '.join(line.electorate)}")
    for vote in line.votes:
        said = f": {vote.reason}" if vote.reason else ""
        yield words((f"    {vote.revision} ", QUIET), f"{vote.author} {'yes' if vote.approve else 'no'}", said)
    if line.reason:
        yield words("    ", line.reason)
    yield from (words("    ").append_text(_lost(one)) for one in line.lost)
    for change in shown_facets(line.changes):
        yield words("    ").append_text(facet_line(change, _APART))
    yield from (words("  ").append_text(text) for text in _affected(line.affected))
    if line.compacted:
        yield words(("    its text was compacted", QUIET))
    yield from _block(line.text)


def _lost(one: Lost) -> Text:
    """Return the facet for which a version lost: its accepted change, or that it is unchanged."""
    what = f"{one.key} {one.facet}".rstrip()
    if one.old == one.new:
        return words(f"{what} stays ", difference(one.old, one.old).partition(" -> ")[0])
    return words(f"{what} was accepted otherwise: ", difference(one.old, one.new))


def _block(text: str) -> Iterator[Text]:
    if text:
        yield from (Text("    " + line) for line in clean(text, lines=True).rstrip("\n").split("\n"))


@render.register
def _component(report: ComponentReport) -> RenderableType:
    return Group(*_component_lines(report))


def _component_lines(report: ComponentReport) -> Iterator[Text]:
    version = f", version {report.version}, {report.revision} {report.author}"
    yield words((report.key, "bold"), " is ", state(report.state), version)
    for waited in report.waits_for:
        yield words("  waits for ", waited)
    for pin in report.pins:
        now = "" if pin.now == pin.version else " (now retracted)" if pin.now is None else f" (now {pin.now})"
        facets = [f"{name} (unread)" if name in pin.observed else name for name in pin.facets]
        yield words(f"  {pin.side} {pin.key} {pin.version}{now}: ", ", ".join(facets) or "whole")
        for change in shown_facets(pin.changes):
            yield words("    ").append_text(facet_line(change, _APART))
    for verdict in report.verdicts:
        result = ("passed", GOOD) if verdict.passed else ("failed", BAD)
        yield words(f"  {verdict.revision} {verdict.check} ", result)
        if not verdict.passed:
            yield from _block(verdict.log)
    for path, size in report.files.items():
        yield words(f"  {path}  {size} bytes")
        yield from _block(report.texts.get(path, ""))


@render.register
def _list(report: ListReport) -> RenderableType:
    width = max((len(line.key) for line in report.keys), default=0)
    lines = [
        words(
            f"{line.key:<{width}}  ",
            state(line.state),
            "" if line.version is None else f"  version {line.version}",
            (f"  since {line.revision}", QUIET),
        )
        for line in report.keys
    ]
    return Group(*lines) if lines else words("nothing under ", report.pattern)


@render.register
def _log(report: LogReport) -> RenderableType:
    older = [words((f"older changes are left out; all of them: --after {report.first - 1}", QUIET))]
    older = older if report.cut else []
    return Group(*older, *(change_line(change) for change in report.changes))


@render.register
def change_line(line: ChangeLine) -> Text:
    """Return one entry of the feed."""
    version = "" if line.version is None else f" {line.version}"
    did = f"{line.author} {_VERBS.get(line.kind, line.kind)} "
    what = (line.key, "bold") if line.key else "the board"
    return words((f"{line.revision:>5} ", QUIET), did, what, version).append_text(_note(line))


def _note(line: ChangeLine) -> Text:
    style = QUIET if line.kind != "judged" else BAD if "failed" in line.note else GOOD
    return words(": ", (line.note, style)) if line.note else Text()


@render.register
def _diff(report: DiffReport) -> RenderableType:
    lines: list[Text] = []
    for decision in report.decisions:
        lines.extend(_key_change(decision))
        for facet in decision.facets if report.proofs else ():
            lines.extend(_proof(facet))
    for change in report.components:
        versions = f"{change.old or 'absent'} -> {change.new or 'absent'}"
        lines.append(words("wrote " if change.new else "lost ", (change.key, "bold"), f" {versions}"))
        for mark, paths in (("+", change.added), ("-", change.removed), ("~", change.changed)):
            lines.extend(words(f"  {mark} {path}") for path in paths)
    lines.extend(_affected(report.affected))
    return Group(*lines) if lines else words(f"nothing differs between {report.old} and {report.new}")
