"""Secrets of known formats do not reach the board."""

import time

import pytest

from blackboard.control import redaction
from blackboard.control.redaction import MAX_TEXT_CHARACTERS, SECRETS, keepable

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGH"
JWT = "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0NTY3ODkwIn0." + "dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"

FOUND = [
    ("private key", f"-----BEGIN RSA PRIVATE KEY-----\n{LETTERS}\n{LETTERS}\n-----END RSA PRIVATE KEY-----", ""),
    ("private key", f"-----BEGIN OPENSSH PRIVATE KEY-----\n{LETTERS}", ""),
    ("authorization header", f"Authorization: Bearer {LETTERS}", "Authorization: "),
    ("authorization header", "authorization: Basic dXNlcjpwYXNzd29yZA==", "authorization: "),
    ("authorization header", f'"Authorization": "token {LETTERS}', '"Authorization": "'),
    ("password in a URL", "postgresql://ann:hunter2", "postgresql://ann:"),
    ("password in a URL", "https://example.org/?user=ann&password=hunter2", "https://example.org/?user=ann&password="),
    ("authorization header", "Authorization: " + LETTERS, "Authorization: "),
    ("authorization header", 'Authorization: Digest username="ann", response="6629fae"', "Authorization: "),
    ("json web token", JWT, ""),
    ("anthropic key", f"sk-ant-api03-{LETTERS}", ""),
    ("openai key", f"sk-proj-{LETTERS}", ""),
    ("openai key", f"sk-{LETTERS}", ""),
    ("github token", f"ghp_{LETTERS[:36]}", ""),
    ("github token", f"github_pat_{LETTERS}", ""),
    ("aws access key", "AKIA" + "IOSFODNN7EXAMPLE", ""),
    (
        "aws secret key",
        "aws_secret_access_key = " + "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "aws_secret_access_key = ",
    ),
    ("google key", "AIza" + LETTERS[:35], ""),
    ("slack token", "xoxb-" + "123456789012-abcdefghij", ""),
    ("slack token", "https://" + "hooks.slack.com/services/T000/B000/abcdefgh", ""),
]


@pytest.mark.parametrize(("name", "secret", "before"), FOUND)
def test_a_secret_of_a_known_format_is_replaced_by_its_name(name, secret, before):
    after = "@host/db" if secret.startswith("postgresql") else ""
    assert keepable(f"see {secret}{after}") == f"see {before}[redacted: {name}]{after}"


def test_each_format_has_a_test():
    assert {name for name, _ in SECRETS} == {name for name, _, _ in FOUND}


@pytest.mark.parametrize(
    "text",
    [
        "def open(path: str, *, password: str = '') -> None: ...",
        "connect(password=get_password(), user=name)",
        "task-management is a risk-averse thing; sk-learn",
        "the Authorization header is needed",
        "def send(authorization: Optional[str], *, authorization_header: dict[str, str]) -> None: ...",
        "Authorization: Bearer <token>",
        "connect(password=secret_of_ann, user=name)",
        "http://localhost:8080/a@b and mail ann@example.org",
        "digest 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    ],
)
def test_what_is_no_secret_is_kept_as_it_is(text):
    assert keepable(text) == text


def test_a_long_text_is_cut_and_says_so():
    kept = keepable("x" * (MAX_TEXT_CHARACTERS + 5))
    assert kept.endswith("x\n[cut: the text has 1,000,005 characters]")


def test_a_secret_at_the_cut_is_not_kept_in_part(monkeypatch):
    monkeypatch.setattr(redaction, "MAX_TEXT_CHARACTERS", 20)
    kept = keepable("x " * 5 + f"ghp_{LETTERS[:36]}" + " y" * 50)
    assert "ghp_" not in kept


def test_what_utf_8_cannot_spell_is_escaped():
    assert keepable("a\ud800b") == "a\\ud800b"


@pytest.mark.parametrize("piece", ["Authorization: ", "a://", "sk-", "eyJ", "password=", "-----BEGIN ", "A", "a://b:"])
def test_no_text_makes_a_pattern_slow(piece):
    began = time.process_time()
    keepable(piece * (300_000 // len(piece)))
    assert time.process_time() - began < 20
