import io
import unicodedata

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from blackboard.clean import clean
from blackboard.cli.render import words

BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
ZERO_WIDTH = "\u00ad\u034f\u115f\u180e\u200b\u200c\u200d\u2060\u2061\ufe0f\ufeff\u3164\U000e0001\U000e0100"


def test_an_escape_sequence_is_shown_and_does_nothing():
    assert clean("\x1b[31mred\x1b[0m") == r"\x1b[31mred\x1b[0m"
    assert clean("\x9b2J") == r"\x9b2J"
    assert clean("\x1b]8;;http://evil\x07click\x1b]8;;\x07") == r"\x1b]8;;http://evil\x07click\x1b]8;;\x07"


def test_a_carriage_return_cannot_overwrite_the_line_before_it():
    assert clean("denied\rallowed") == r"denied\rallowed"
    assert clean("denied\rallowed", lines=True) == r"denied\rallowed"


def test_every_bidirectional_control_is_shown_by_its_number():
    for character in BIDI:
        assert clean(f"int{character}tni") == f"int\\u{ord(character):04x}tni"


def test_every_zero_width_character_is_shown_by_its_number():
    for character in ZERO_WIDTH:
        shown = clean(f"a{character}b")
        assert character not in shown
        assert f"{ord(character):x}" in shown


def test_a_lone_surrogate_is_shown_and_can_be_encoded():
    assert clean("\ud800").encode() == rb"\ud800"


def test_line_ends_are_shown_in_a_line_and_kept_in_a_block():
    assert clean("a\nb\tc") == r"a\nb\tc"
    assert clean("a\r\nb\tc\u2028d", lines=True) == "a\nb\tc\\u2028d"


def test_letters_of_any_script_stay_as_they_are():
    text = "Rezept für Käse, 料理, рецепт, وصفة, e\u0301"
    assert clean(text) == text


@given(st.text())
def test_nothing_unseen_survives(text):
    for shown, kept in ((clean(text), ""), (clean(text, lines=True), "\n\t")):
        assert not [
            one for one in shown if one not in kept and unicodedata.category(one) in ("Cc", "Cf", "Cs", "Zl", "Zp")
        ]


@given(st.text())
def test_cleaning_twice_changes_nothing_more(text):
    assert clean(clean(text)) == clean(text)


@given(st.text(st.sampled_from("[]/\\red bold:smile\x1b\n")))
def test_markup_of_the_terminal_library_is_printed_as_it_stands(text):
    out = io.StringIO()
    Console(file=out, width=10_000, force_terminal=False).print(words(text), end="")
    assert out.getvalue() == clean(text)
