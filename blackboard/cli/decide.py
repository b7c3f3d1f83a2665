"""Commands that commit as a person: decide, propose, vote, ask, revert."""

from pathlib import Path
from typing import Annotated

import typer

from blackboard.cli import impact
from blackboard.cli.exits import Exit
from blackboard.cli.place import AuthorOption, BecauseOption, BoardOption, JsonOption, author_of, opened
from blackboard.cli.records import DoneReport
from blackboard.cli.terminal import emit
from blackboard.contracts.language import MAX_TEXT_BYTES, Contract, language_for_suffix
from blackboard.errors import IllegalTransition, InvalidContract
from blackboard.snapshot import Version
from blackboard.spec.canonical import JSON, NotCanonical, parse_json
from blackboard.spec.changes import Committed

Key = Annotated[str, typer.Argument(metavar="KEY", help="A decision.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show the impact and write nothing.")]


def decide(
    pairs: Annotated[list[str], typer.Argument(metavar="KEY FILE...", help="Keys and the files with their texts.")],
    *,
    dry_run: DryRun = False,
    accept: Annotated[list[str] | None, typer.Option("--accept", metavar="RULE", help="A break to accept.")] = None,
    because: BecauseOption = "",
    author: AuthorOption = None,
    board: BoardOption = None,
    as_json: JsonOption = False,
) -> int:
    """Decide some keys in one commit.

    The suffix of a file names its language: .pyi python, .json json-schema or value, .sql sql, .constraint constraint,
    .md text, .task.toml task.
    """
    contracts = _contracts(pairs)
    with opened(board) as found:
        files = dict(zip(pairs[::2], pairs[1::2], strict=True))
        shown = impact.decide(
            found, author_of(author), contracts, rationale=because, dry_run=dry_run, accept=accept or (), files=files
        )
    emit(shown, as_json=as_json)
    return Exit.NO if shown.refused_by else Exit.YES


def _contracts(pairs: list[str]) -> dict[str, Contract]:
    if len(pairs) % 2:
        raise typer.BadParameter(f"{pairs[-1]} has no FILE: give KEY FILE, or KEY FILE KEY FILE ...")
    contracts: dict[str, Contract] = {}
    for key, file in zip(pairs[::2], pairs[1::2], strict=True):
        if key in contracts:
            raise typer.BadParameter(f"{key} stands twice")
        contracts[key] = contract_of(Path(file))
    return contracts


def contract_of(file: Path) -> Contract:
    """Return the contract in a file, in the language of its suffix.

    Raises:
        InvalidContract: The suffix names no language, or the text is not in that language.
        TooLarge: The file is larger than the board's limit.
    """
    try:
        with file.open("rb") as stream:
            # Read one byte more than the limit at most: the file may be an endless device.
            content = stream.read(MAX_TEXT_BYTES + 1)
    except OSError as error:
        raise typer.BadParameter(f"{file} cannot be read: {error.strerror}") from None
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise InvalidContract(file.name, f"byte {error.start} is not UTF-8") from None
    try:
        return Contract(language_for_suffix(file.name, text), text)
    except InvalidContract as error:
        where = f"{error.language} in {file.name}" if error.language != file.name else file.name
        raise InvalidContract(where, error.why, line=error.line, column=error.column) from None


def propose(
    key: Key,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The text of the proposal.")],
    *,
    because: BecauseOption = "",
    author: AuthorOption = None,
    board: BoardOption = None,
    as_json: JsonOption = False,
) -> int:
    """Propose a version for others to vote on."""
    contract, who = contract_of(file), author_of(author)
    with opened(board) as found, found.transaction(who.name, role=who.role) as transaction:
        transaction.decision(key)
        transaction.propose(key, contract, rationale=because)
        committed = transaction.commit()
    return _done(committed, f"{who.name} proposed {key}", as_json=as_json)


def vote(
    key: Key,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="For it.")] = False,
    no: Annotated[bool, typer.Option("--no", help="Against it.")] = False,
    version: Annotated[int | None, typer.Option("--version", min=1, help="Needed if several are proposed.")] = None,
    because: BecauseOption = "",
    author: AuthorOption = None,
    board: BoardOption = None,
    as_json: JsonOption = False,
) -> int:
    """Vote on a proposed version, once: for it or against it."""
    if yes == no:
        raise typer.BadParameter("give either --yes or --no")
    who = author_of(author)
    with opened(board) as found:
        # Read outside the transaction, so that another member's vote on this version is no conflict.
        voted = _live(key, found.snapshot().versions(key), version)
        with found.transaction(who.name, role=who.role) as transaction:
            transaction.vote(key, version=voted, approve=yes, reason=because)
            committed = transaction.commit()
    return _done(committed, f"{who.name} voted {'yes' if yes else 'no'} on {key} {voted}", as_json=as_json)


def _live(key: str, versions: tuple[Version, ...], asked: int | None) -> int:
    """Return the version to vote on."""
    live = [version.version for version in versions if version.state == "proposed"]
    if asked is not None:
        return asked
    if not live:
        raise IllegalTransition(key, "without a proposal", "a vote")
    if len(live) > 1:
        raise typer.BadParameter(f"{key} has several proposals: name one with --version {'|'.join(map(str, live))}")
    return live[0]


def ask(
    key: Key,
    question: Annotated[str, typer.Argument(metavar="QUESTION", help="What has to be decided.")],
    *,
    option: Annotated[list[str] | None, typer.Option("--option", help="A possible answer, as JSON or a word.")] = None,
    author: AuthorOption = None,
    board: BoardOption = None,
    as_json: JsonOption = False,
) -> int:
    """Put a question about a key that has to be decided."""
    who = author_of(author)
    with opened(board) as found, found.transaction(who.name, role=who.role) as transaction:
        transaction.ask(key, question, options=[_option(text) for text in option or ()])
        committed = transaction.commit()
    return _done(committed, f"{who.name} asked about {key}", as_json=as_json)


def _option(text: str) -> JSON:
    """Return an option parsed as JSON, or as text if it is not JSON."""
    try:
        return parse_json(text)
    except NotCanonical:
        return text


def revert(
    key: Key,
    *,
    to: Annotated[int, typer.Option("--to", min=1, metavar="VERSION", help="The version to go back to.")],
    dry_run: DryRun = False,
    because: BecauseOption = "",
    author: AuthorOption = None,
    board: BoardOption = None,
    as_json: JsonOption = False,
) -> int:
    """Decide the text of an earlier version again."""
    with opened(board) as found:
        earlier = [version for version in found.snapshot().versions(key) if version.version == to]
        if not earlier:
            raise IllegalTransition(f"version {to} of {key}", "unknown", "a revert to it")
        if earlier[0].contract is None:
            raise IllegalTransition(f"the text of version {to} of {key}", "compacted", "a revert to it")
        contracts = {key: earlier[0].contract}
        why = because or f"back to version {to}"
        shown = impact.decide(found, author_of(author), contracts, rationale=why, dry_run=dry_run)
    emit(shown, as_json=as_json)
    return Exit.NO if shown.refused_by else Exit.YES


def _done(committed: Committed, act: str, *, as_json: bool) -> int:
    emit(DoneReport(committed.revision, (act,), committed.accepted), as_json=as_json)
    return Exit.YES
