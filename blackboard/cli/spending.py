"""Records of budgets and model calls, and their lines of text, which are not cleaned yet."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class BudgetLine:
    """The limit and the spent amount of one resource of the budget."""

    resource: str
    cap: float
    spent: float
    held: float


@dataclass(frozen=True, slots=True)
class WaitingLine:
    """A running call of a model.

    Attributes:
        call: Its number on the board.
        seconds: The time since its start by the store's clock.
    """

    call: int
    source: str
    model: str
    target: str
    seconds: float


@dataclass(frozen=True, slots=True)
class SpentLine:
    """The spending of one source's calls to one model; money is None if no price was known."""

    source: str
    model: str
    calls: int
    input_tokens: int
    output_tokens: int
    money: float | None
    currency: str


@dataclass(frozen=True, slots=True)
class SentText:
    """One message of a prompt."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class CallReport:
    """One call of a model.

    Attributes:
        call: Its number among the calls about the key: 1, 2, 3 …
        kind: The kind of the trigger that woke the source.
        attempt: The number of the activation's attempt.
        prompt, reply: SHA-256 of the prompt and of the reply; None if not recorded.
        messages, reply_text: The texts; None if they were deleted.
        began: Store time, in seconds since the Unix epoch.
        outcome: `answered`, `refused`, `truncated`, `timed out`, `running`, `lost` or the name of an error.
    """

    call: int
    source: str
    target: str
    kind: str
    attempt: int
    model: str
    input_tokens: int | None
    output_tokens: int | None
    money: float | None
    currency: str
    outcome: str
    began: float
    seconds: float | None
    prompt: str | None
    reply: str | None
    messages: tuple[SentText, ...] | None
    reply_text: str | None


@dataclass(frozen=True, slots=True)
class CallsReport:
    """The calls of models about a key, the newest last."""

    key: str
    calls: tuple[CallReport, ...]


def budget_line(line: BudgetLine) -> str:
    """Return the limit and the spent amount of a resource as a line."""
    held = f" ({line.held:g} held)" if line.held else ""
    return f"{line.spent:.4g} of {line.cap:g} {line.resource}{held}"


def waiting_line(line: WaitingLine) -> str:
    """Return a running call as a line: source, model, target and time."""
    return f"{line.source}: waiting for {line.model} about {line.target}, {line.seconds:.0f} s"


def spent_lines(lines: Sequence[SpentLine]) -> Iterator[str]:
    """Yield the spending on each model, summed over sources so that any team fits on a screen."""
    for model, currency in dict.fromkeys((line.model, line.currency) for line in lines):
        same = [line for line in lines if (line.model, line.currency) == (model, currency)]
        count = sum(line.calls for line in same)
        used = _tokens(sum(line.input_tokens for line in same), sum(line.output_tokens for line in same))
        paid = [line.money for line in same if line.money is not None]
        cost = f", {_money(sum(paid), currency)}" if paid else ""
        yield f"{model}: {count} {'call' if count == 1 else 'calls'}, {used}{cost}"


def call_blocks(report: CallsReport) -> Iterator[str]:
    """Yield headings and texts of calls: a summary, the messages of the prompt, and the reply."""
    for one in report.calls:
        yield f"=== {_headline(one)}"
        if one.messages is None:
            gone = "was not recorded" if one.prompt is None else "is not kept any more: newer ones needed the room"
            yield f"--- the prompt {gone}"
        for message in one.messages or ():
            yield f"--- {message.role}"
            yield message.content
        if one.reply_text is None:
            gone = "was not recorded" if one.reply is None else "is not kept any more: newer ones needed the room"
            yield f"--- the reply {gone}"
        else:
            yield "--- reply"
            yield one.reply_text


def _headline(call: CallReport) -> str:
    about = f"call {call.call}: {call.source} about {call.target} ({call.kind}, attempt {call.attempt})"
    known = call.input_tokens is not None and call.output_tokens is not None
    parts: Sequence[str] = (
        about,
        call.model,
        _tokens(call.input_tokens or 0, call.output_tokens or 0) if known else "tokens not known",
        _money(call.money, call.currency) if call.money is not None else "no price",
        call.outcome if call.seconds is None else f"{call.outcome} after {call.seconds:.1f} s",
        datetime.fromtimestamp(call.began, UTC).strftime("%Y-%m-%d %H:%M:%S UTC"),
        f"prompt {call.prompt}" if call.prompt else "",
    )
    return ", ".join(part for part in parts if part)


def _tokens(sent: int, got: int) -> str:
    return f"{sent:,} + {got:,} tokens"


def _money(amount: float, currency: str) -> str:
    return f"{amount:.4g} {currency or 'money'}"
