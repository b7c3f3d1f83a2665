"""Board text inside a prompt: blocks that a model can tell from its instructions and a program can read back.

A block is an opening line with a nonce and a JSON header, the body exactly as it is, and a closing line:

    <<fact 5f3a0c9d1e77 {"author":"ann","key":"a/b","kind":"decision","language":"value","revision":12,"version":2}
    "int"
    fact 5f3a0c9d1e77>>

Invariants: all blocks of one prompt have one nonce, which occurs in none of them, so no text of the board can open or
close a block. The same facts give the same prompt. The nonce is computed from the first block, so two prompts that
begin with the same facts begin with the same text, which the cache of a provider can reuse.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from blackboard import Invalid

NONCE_DIGITS = 12

KINDS = (
    "prompt",
    "decision",
    "task",
    "check",
    "you",
    "question",
    "rejected",
    "proposal",
    "provider",
    "file",
    "draft",
    "log",
    "refused",
)
"""The kinds of blocks in the order of a prompt, those that change least first."""

_OPENING = re.compile(rf"^<<fact ([0-9a-f]{{{NONCE_DIGITS}}}) (?=\{{)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Fact:
    """One block of board text for a model.

    Attributes:
        kind: One of `KINDS`.
        header: Name -> JSON value: the origin of the body. It does not repeat the kind.
        body: The text, which is never interpreted.
    """

    kind: str
    header: Mapping[str, Any] = field(default_factory=dict)
    body: str = ""


def in_order(facts: Iterable[Fact]) -> list[Fact]:
    """Return facts in the order of a prompt: by kind, stable within a kind."""
    return sorted(facts, key=lambda fact: KINDS.index(fact.kind))


def render(facts: Iterable[Fact]) -> str:
    """Write facts as blocks, in the order of the argument; the empty text without facts."""
    contents = [(_header(fact), fact.body) for fact in facts]
    nonce = _nonce(contents)
    return "\n".join(f"<<fact {nonce} {header}\n{body}\nfact {nonce}>>" for header, body in contents)


def parse(text: str) -> tuple[Fact, ...]:
    """Read the blocks of a prompt, and skip the text before, between and after them.

    The first opening line has the nonce, and only blocks with that nonce count: the text before it must not be from the
    board.

    Raises:
        Invalid: A block does not end, or its header is no JSON object with a `kind`.
    """
    first = _OPENING.search(text)
    if first is None:
        return ()
    opening, closing = f"<<fact {first[1]} ", f"\nfact {first[1]}>>"
    facts: list[Fact] = []
    position = first.start()
    while position >= 0:
        header_end = text.find("\n", position)
        end = text.find(closing, header_end + 1) if header_end >= 0 else -1
        if end < 0:
            raise Invalid(f"fact block {len(facts) + 1} does not end; render the facts again with `render`")
        facts.append(_fact(text[position + len(opening) : header_end], text[header_end + 1 : end], len(facts) + 1))
        following = text.find(f"\n{opening}", end + len(closing))
        position = following + 1 if following >= 0 else -1
    return tuple(facts)


def _header(fact: Fact) -> str:
    return json.dumps({**fact.header, "kind": fact.kind}, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _fact(header_text: str, body: str, number: int) -> Fact:
    try:
        header = json.loads(header_text)
    except json.JSONDecodeError as error:
        raise Invalid(f"the header of fact block {number} is no JSON ({error}); render the facts again") from None
    if not isinstance(header, dict) or not isinstance(header.get("kind"), str):
        raise Invalid(f"the header of fact block {number} names no kind; render the facts again")
    kind = header.pop("kind")
    return Fact(kind, header, body)


def _nonce(contents: list[tuple[str, str]]) -> str:
    seed = json.dumps(contents[:1]).encode()
    while True:
        digest = hashlib.sha256(seed).hexdigest()
        nonce = digest[:NONCE_DIGITS]
        if not any(nonce in part for content in contents for part in content):
            return nonce
        seed = digest.encode()
