"""Redaction of prompts and replies before they are stored: secrets of known formats are replaced, long texts are cut.

Only formats that a pattern can recognise are found. A secret in prose is stored, so keep secrets out of prompts.
"""

import re

MAX_TEXT_CHARACTERS = 1_000_000
"""The longest stored part of one message or reply."""

_MARGIN = 20_000
"""Read this far past the cut, so that a secret across the cut is recognised."""

SECRETS: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "private key",
        re.compile(r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----[\s\S]*?(?:-----END [A-Z0-9 ]+-----|\Z)"),
    ),
    (
        "authorization header",
        re.compile(
            r"(?i)(?<![A-Za-z0-9])((?:proxy-)?authorization[\"']?\s{0,8}[:=]\s{0,8}[\"']?)"
            r"(?:(?:bearer|basic|token|negotiate|apikey)[ \t]{1,8}[A-Za-z0-9._~+/=-]{8,8192}"
            r"|(?:digest|aws4-hmac-sha256)[ \t]{1,8}[^\r\n]{8,8192}"
            r"|(?=[A-Za-z._~+/=-]{0,64}[0-9])[A-Za-z0-9._~+/=-]{20,8192})"
        ),
    ),
    (
        "password in a URL",
        re.compile(r"(?i)(\b[a-z][a-z0-9+.-]{1,20}://[^\s:/@\"'<>]{0,256}:)[^\s/@\"'<>]{1,256}(?=@)"),
    ),
    ("password in a URL", re.compile(r"(?i)([?&;](?:password|passwd|pwd)=)[^\s&;#\"'`<>]{1,512}")),
    ("json web token", re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}")),
    ("anthropic key", re.compile(r"\bsk-ant-[A-Za-z0-9_-]{16,}")),
    ("openai key", re.compile(r"\bsk-(?:proj-|svcacct-|admin-)?[A-Za-z0-9_-]{20,}")),
    ("github token", re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,})")),
    ("aws access key", re.compile(r"\b(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{16}\b")),
    (
        "aws secret key",
        re.compile(
            r"(?i)(aws_?secret_?(?:access_?)?key[\"']?\s{0,8}[:=]\s{0,8}[\"']?)[A-Za-z0-9/+=]{40}(?![A-Za-z0-9/+=])"
        ),
    ),
    ("google key", re.compile(r"\b(?:AIza[A-Za-z0-9_-]{35}|GOCSPX-[A-Za-z0-9_-]{20,}|ya29\.[A-Za-z0-9_-]{20,})")),
    (
        "slack token",
        re.compile(
            r"\b(?:xox[abeoprs]-[A-Za-z0-9-]{10,}|xapp-[A-Za-z0-9-]{10,})"
            r"|https://hooks\.slack\.com/[a-z]{1,20}/[A-Za-z0-9/_-]{10,}"
        ),
    ),
)
"""(name, pattern): a match is replaced by `[redacted: <name>]`, except for its first group."""


def keepable(text: str) -> str:
    """Return a text with secrets of known formats replaced, cut to the longest stored size, and valid as UTF-8.

    >>> keepable("clone with ghp_0123456789abcdefghij0123456789abcdef")
    'clone with [redacted: github token]'
    """
    cut = len(text) > MAX_TEXT_CHARACTERS
    kept = text[: MAX_TEXT_CHARACTERS + _MARGIN] if cut else text
    kept = kept.encode("utf-8", "backslashreplace").decode()
    for name, pattern in SECRETS:
        kept = pattern.sub(_replacement(name, pattern), kept)
    if cut:
        kept = f"{kept[:MAX_TEXT_CHARACTERS]}\n[cut: the text has {len(text):,} characters]"
    return kept


def _replacement(name: str, pattern: re.Pattern[str]) -> str:
    return rf"\1[redacted: {name}]" if pattern.groups else f"[redacted: {name}]"
