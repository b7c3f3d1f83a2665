"""Whoever waits in line and was answered finds its answer, whenever it looks."""

import threading
import time

import pytest

from blackboard.store.slips import Slips
from blackboard.store.tickets import Tickets


def test_who_was_answered_just_before_it_may_lead_lets_the_next_one_lead(location, monkeypatch):
    location.touch()
    monkeypatch.setattr("blackboard.store.tickets._RUNG_SECONDS", 0.001)
    first, second, looks, may_lead = Tickets.beside(location), Tickets.beside(location), [], Tickets._may_lead
    first.take()
    done = []

    def late(tickets, ticket, **named):
        if tickets is second and ticket:
            looks.append(ticket)
            if len(looks) == 2:
                # It looked for its answer, and has not asked yet whether anybody leads.
                first.give_back([(slip, b"done") for slip in first.behind()])
        return may_lead(tickets, ticket, **named)

    monkeypatch.setattr(
        Tickets, "_is_held", lambda tickets, byte, held=Tickets._is_held: byte > 0 and held(tickets, byte)
    )
    monkeypatch.setattr(Tickets, "_may_lead", late)
    thread = threading.Thread(target=lambda: done.append(second.take(lambda: b"wanted", helps=True)))
    thread.start()
    thread.join(timeout=30)
    assert done == [b"done"]
    assert first.take() is None
    assert first._leads
    first.close()
    second.close()


def test_whoever_is_told_that_its_turn_is_over_finds_its_answer_however_long_answering_takes(location, monkeypatch):
    location.touch()
    monkeypatch.setattr("blackboard.store.tickets._RUNG_SECONDS", 0.001)
    first, second, looks, looked = Tickets.beside(location), Tickets.beside(location), [], Slips.answered
    first.take()
    answer, done = Slips.answer, []

    def slowly(slips, slip, text):
        so_far, end = len(looks), time.monotonic() + 1
        while len(looks) < so_far + 3 and time.monotonic() < end:
            time.sleep(0.001)
        answer(slips, slip, text)

    monkeypatch.setattr(Slips, "answer", slowly)
    monkeypatch.setattr(Slips, "answered", lambda slips, slip: looks.append(slip) or looked(slips, slip))
    thread = threading.Thread(target=lambda: done.append(second.take(lambda: b"wanted", helps=True)))
    thread.start()
    while not looks:
        time.sleep(0.001)
    first.give_back([(slip, b"done") for slip in first.behind()])
    thread.join(timeout=30)
    assert done == [b"done"]
    first.close()
    second.close()


@pytest.mark.parametrize("when", ["before it asks who leads for the first time", "after it looked, and another leads"])
def test_who_is_answered_between_two_looks_finds_its_answer(location, monkeypatch, when):
    location.touch()
    monkeypatch.setattr("blackboard.store.tickets._RUNG_SECONDS", 0.001)
    first, second, third = (Tickets.beside(location) for _ in range(3))
    first.take()
    count, looked, done = Tickets._count, Slips.answered, []

    def answered_at_once(tickets, ticket):
        count(tickets, ticket)
        first.give_back([(slip, b"done") for slip in first.behind()])

    def answered_after(slips, slip):
        found = looked(slips, slip)
        if first._leads:
            first.give_back([(slip, b"done") for slip in first.behind()])
            third.take()
        return found

    if when.startswith("before"):
        monkeypatch.setattr(Tickets, "_count", answered_at_once)
    else:
        monkeypatch.setattr(Slips, "answered", answered_after)
    thread = threading.Thread(target=lambda: done.append(second.take(lambda: b"wanted", helps=True)))
    thread.start()
    thread.join(timeout=30)
    assert done == [b"done"]
    for one in (first, second, third):
        one.close()
