"""Slips beside the line: what is read is what was left, whole, by the one who stands there; else it is nothing."""

import os
import threading

import pytest
from lining import until

from blackboard.store.slips import (
    _ANSWER,
    _FIRST,
    _HEADER,
    _SLIP,
    LONGEST_ANSWER,
    NOBODY,
    PLACES,
    Answer,
    Slips,
    _place,
)
from blackboard.store.tickets import Tickets

TEXT, DONE = b"what is to be done", Answer(b"done")


@pytest.fixture
def file(tmp_path):
    number = os.open(tmp_path / "line", os.O_RDWR | os.O_CREAT, 0o644)
    yield number
    os.close(number)


@pytest.fixture
def slips(file):
    return Slips(file, b"author 1")


def test_what_was_left_is_read_and_what_was_answered_is_told(slips):
    slip = slips.leave(7, TEXT)
    assert slips.of(7) == slip
    assert (slip.ticket, slip.text, slip.author) == (7, TEXT, b"author 1")
    assert slips.answered(slip) is None
    slips.answer(slip, Answer(b"done", b"author 2"))
    assert slips.answered(slip) == Answer(b"done", b"author 2")


@pytest.mark.parametrize("answer", [DONE, Answer(b"")])
def test_what_was_done_or_refused_is_no_longer_for_others_to_do(slips, answer):
    slip = slips.leave(7, TEXT)
    slips.answer(slip, answer)
    assert slips.of(7) == slip._replace(text=b"")
    assert slips.answered(slip) == answer


@pytest.mark.parametrize("other", [1, 6, 8, 7 + PLACES, 2**61])
def test_nothing_is_read_under_another_ticket(slips, other):
    slips.leave(7, TEXT)
    assert slips.of(other) is None


def test_each_of_the_places_has_room_for_the_longest(slips):
    texts = [number.to_bytes(2, "big") * ((_SLIP - _HEADER.size) // 2) for number in range(PLACES)]
    left = [slips.leave(number, text) for number, text in enumerate(texts)]
    assert [slips.of(number).text for number in range(PLACES)] == texts
    for slip in left:
        slips.answer(slip, Answer(slip.text[:LONGEST_ANSWER]))
    assert all(slips.stands(slip) for slip in left)
    assert [slips.answered(slip).text for slip in left] == [text[:LONGEST_ANSWER] for text in texts]


@pytest.mark.parametrize("text", [None, bytes(_SLIP - _HEADER.size + 1)], ids=["nothing", "too long"])
def test_under_a_ticket_with_nothing_to_leave_nothing_of_another_is_left(slips, text):
    earlier = slips.leave(7, TEXT)
    assert slips.leave(7, text).text == b""
    assert slips.of(7).text == b""
    assert not slips.stands(earlier)


def test_an_answer_that_is_too_long_is_not_given(slips):
    slip = slips.leave(7, TEXT)
    slips.answer(slip, Answer(bytes(LONGEST_ANSWER + 1)))
    assert slips.answered(slip) is None


def test_a_slip_stands_until_it_is_taken_back_or_another_one_stands_there(slips):
    slip = slips.leave(7, TEXT)
    assert slips.stands(slip)
    slips.take_back(slip)
    assert (slips.stands(slip), slips.of(7)) == (False, None)
    again = slips.leave(7, TEXT)
    assert (slips.stands(slip), slips.stands(again)) == (False, True)
    slips.leave(7 + PLACES, TEXT)
    assert not slips.stands(again)


def test_the_answer_to_one_slip_is_never_that_to_another(slips):
    first = slips.leave(7, TEXT)
    slips.answer(first, DONE)
    second = slips.leave(7, TEXT)
    assert slips.answered(second) is None
    # One who was slow answers the first one now.
    slips.answer(first, DONE)
    assert slips.answered(second) is None
    slips.answer(first._replace(ticket=7 + PLACES), DONE)
    assert slips.answered(second) is None
    slips.answer(second, Answer(b"done too"))
    assert (slips.answered(first), slips.answered(second)) == (None, Answer(b"done too"))


@pytest.mark.parametrize("what", ["slip", "answer"])
def test_with_any_byte_of_it_changed_it_is_not_read(slips, file, what):
    slip = slips.leave(7, TEXT)
    told = Answer(TEXT[len(NOBODY) :], b"author 2")
    if what == "answer":
        slips.answer(slip, told)
    at = _place(7) + (_ANSWER if what == "slip" else 0)
    whole = os.pread(file, _HEADER.size + len(TEXT), at)
    for number, byte in enumerate(whole):
        os.pwrite(file, bytes([byte ^ 0x10]), at + number)
        if what == "answer":
            assert slips.answered(slip) is None, number
        elif 8 <= number < 24:
            # The mark: it is another slip, then.
            assert not slips.stands(slip), number
        else:
            assert slips.of(7) is None, number
        os.pwrite(file, bytes([byte]), at + number)
    assert (slips.stands(slip), slips.answered(slip)) == (True, told if what == "answer" else None)


@pytest.mark.parametrize("filled", [b"\0", b"\xff"])
def test_what_is_written_by_half_is_not_read(slips, file, filled):
    whole, at = slips.leave(7, TEXT), _place(7) + _ANSWER
    content = os.pread(file, _HEADER.size + len(TEXT), at)
    for length in range(len(content)):
        os.pwrite(file, content[:length] + filled * (len(content) - length), at)
        assert slips.of(7) is None, length
    os.pwrite(file, content, at)
    assert slips.of(7) == whole


@pytest.mark.parametrize("cut", [0, 16, _FIRST, _place(7) + 20, _place(7) + _ANSWER + 3, _place(7) + _ANSWER + 40])
def test_in_a_file_that_was_cut_off_nothing_stands_and_nothing_is_answered(slips, file, cut):
    slip = slips.leave(7, TEXT)
    os.ftruncate(file, cut)
    assert slips.of(7) is None
    slip = slips.leave(7, TEXT)
    slips.answer(slip, DONE)
    os.ftruncate(file, cut)
    assert slips.answered(slip) == (DONE if cut > _place(7) + _ANSWER else None)
    assert slips.stands(slip) is (cut == _place(7) + _ANSWER + 40)


# --- in line ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def line(location):
    """Return a way to make tickets, the first of which has its turn."""
    location.touch()
    made = []

    def tickets():
        made.append(Tickets.beside(location))
        return made[-1]

    tickets().take()
    tickets.first = made[0]
    yield tickets
    for one in made:
        one.close()


def waiting(line, text, answers):
    """Return the tickets of one that waits in line and left a text; what comes of it is noted."""
    tickets, ahead = line(), line.first._numbers()[0]

    def take():
        answers.append(tickets.take(lambda: text))
        tickets.give_back()

    thread = threading.Thread(target=take, daemon=True)
    thread.start()
    until(lambda: line.first._numbers()[0] > ahead)
    return thread


def test_errands_are_found_in_their_order_up_to_the_first_who_left_nothing(line):
    answers = []
    threads = [waiting(line, text, answers) for text in (b"a", b"b", None, b"d")]
    assert [slip.text for slip in line.first.behind()] == [b"a", b"b"]
    line.first.give_back()
    for thread in threads:
        thread.join(30)
    assert answers == [None] * 4


def test_who_has_no_turn_finds_no_errands(line):
    waiting(line, b"a", [])
    other = line()
    assert list(other.behind()) == []
    line.first.give_back()
    assert list(line.first.behind()) == []


def test_who_is_answered_has_had_its_turn_and_holds_nobody_up(line):
    answers = []
    threads = [waiting(line, text, answers) for text in (b"a", b"b", None)]
    line.first.give_back([(slip, slip.text.upper()) for slip in line.first.behind()])
    for thread in threads:
        thread.join(30)
    assert answers.count(None) >= 1
    assert set(answers) <= {b"A", b"B", None}
    assert not any(line.first._is_held(number) for number in range(8))


def test_an_errand_stands_no_longer_than_somebody_waits_for_it(line):
    dead = line()
    ticket = dead._next()
    slip = dead._slips.leave(ticket, b"a")
    assert line.first.stands(slip)
    dead._lock(ticket, 2)  # F_UNLCK, as by its death
    assert not line.first.stands(slip)


def test_under_the_number_of_one_who_died_nothing_of_it_is_found(line):
    """It died before its ticket was counted: the next one has the same."""
    dead = line()
    dead._slips.leave(dead._next(), b"of the dead")
    dead._lock(1, 2)
    thread = waiting(line, None, [])
    assert list(line.first.behind()) == []
    line.first.give_back()
    thread.join(30)


@pytest.mark.parametrize("size", [0, 16, 40, 64, _FIRST + 10])
def test_who_waits_in_a_line_that_is_cut_off_goes_by_itself(line, location, size):
    answers = []
    thread = waiting(line, b"a", answers)
    slips = list(line.first.behind())
    os.truncate(f"{location}-queue", size)
    assert not line.first.stands(slips[0])
    assert list(line.first.behind()) == []
    line.first.give_back()
    thread.join(30)
    assert answers == [None]
