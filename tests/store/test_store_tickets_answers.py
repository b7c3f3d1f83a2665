"""Whoever waits in line and was answered finds its answer, whenever it looks."""

import threading
import time
from functools import partial

import pytest
from ticketing import wait_for_ticket

from blackboard.store.slips import Slips
from blackboard.store.tickets import PATIENCE_SECONDS, Tickets, _Bell


@pytest.fixture
def only_rung(monkeypatch):
    """Let whoever waits rely on its bell alone."""
    monkeypatch.setattr("blackboard.store.tickets._RUNG_SECONDS", 3600)
    monkeypatch.setattr("blackboard.store.tickets._LOOKS_SECONDS", 3600)


def lined_up(location, waits):
    """Let each wait in a thread of its own, one behind the other, and return the threads."""
    threads = [threading.Thread(target=wait, daemon=True) for wait in waits]
    for number, thread in enumerate(threads, 1):
        thread.start()
        wait_for_ticket(location, number)
    return threads


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


@pytest.mark.usefixtures("only_rung")
def test_who_ends_its_turn_rings_two_and_each_that_finds_its_answer_rings_the_next(location, monkeypatch):
    location.touch()
    leader, *others = (Tickets.beside(location) for _ in range(5))
    leader.take()
    rung, ring, done = [], _Bell.ring, []
    monkeypatch.setattr(_Bell, "ring", lambda bell, name: (rung.append((bell.name, name)), ring(bell, name)))

    def wait(tickets, errand):
        done.append(tickets.take(errand, helps=True))
        tickets.give_back()

    wanted = [lambda: b"wanted"] * 3 + [None]
    threads = lined_up(location, [partial(wait, *one) for one in zip(others, wanted, strict=True)])
    leader.give_back([(slip, b"done") for slip in leader.behind()])
    for thread in threads:
        thread.join(timeout=30)
    assert sorted(done, key=str) == [None, b"done", b"done", b"done"]
    first, second, third, behind = [tickets._bell.name for tickets in others]
    by_leader = [name for bell, name in rung if bell == leader._bell.name]
    assert by_leader == [first, behind]
    assert [pair for pair in rung if pair[0] != leader._bell.name] == [(first, second), (second, third)]
    for tickets in (leader, *others):
        tickets.close()


@pytest.mark.usefixtures("only_rung")
def test_who_is_rung_by_one_that_found_its_answer_at_once_finds_its_own(location, monkeypatch):
    location.touch()
    leader, *others = (Tickets.beside(location) for _ in range(4))
    leader.take()
    answer, done = Slips.answer, []

    def looked_for_at_once(slips, slip, told):
        answer(slips, slip, told)
        if slip == left[0]:
            leader._ring(slip)
            threads[0].join(timeout=30)

    monkeypatch.setattr(Slips, "answer", looked_for_at_once)

    def wait(tickets):
        done.append(tickets.take(lambda: b"wanted", helps=True))

    threads = lined_up(location, [partial(wait, tickets) for tickets in others])
    left = list(leader.behind())
    leader.give_back([(slip, b"done") for slip in left])
    for thread in threads:
        thread.join(timeout=10)
    assert done == [b"done"] * 3
    for tickets in (leader, *others):
        tickets.close()


def test_whoever_is_not_rung_because_the_one_before_died_looks_for_itself(location):
    location.touch()
    leader, dead, other, done = Tickets.beside(location), Tickets.beside(location), Tickets.beside(location), []
    leader.take()
    dead._bell.hang()
    slips = [dead._slips.leave(dead._next(), b"wanted")]
    dead._count(slips[0].ticket)
    thread = threading.Thread(target=lambda: done.append(other.take(lambda: b"wanted", helps=True)))
    thread.start()
    wait_for_ticket(location, 2)
    leader.give_back([(slip, b"done") for slip in leader.behind()])
    thread.join(timeout=PATIENCE_SECONDS)
    assert done == [b"done"]
    for tickets in (leader, dead, other):
        tickets.close()


def test_who_was_refused_and_waits_too_long_takes_back_what_it_left_and_does_it_itself(location, monkeypatch):
    location.touch()
    monkeypatch.setattr("blackboard.store.tickets.PATIENCE_SECONDS", 0.3)
    leader, other, done = Tickets.beside(location), Tickets.beside(location), []
    leader.take()
    thread = threading.Thread(target=lambda: done.append(other.take(lambda: b"wanted", helps=True)))
    thread.start()
    wait_for_ticket(location, 1)
    [slip] = leader.behind()
    leader.refuse(slip)
    thread.join(timeout=30)
    assert (done, leader.stands(slip)) == ([None], False)
    leader.close()
    other.close()


def test_nobody_is_passed_who_could_not_be_answered(location, monkeypatch):
    location.touch()
    leader, *others = (Tickets.beside(location) for _ in range(3))
    leader.take()
    for tickets in others:
        tickets._count(tickets._slips.leave(tickets._next(), b"wanted").ticket)
    first, second = leader.behind()
    answer = Slips.answer

    def damaged(slips, slip, told):
        if slip == first:
            raise OSError
        answer(slips, slip, told)

    monkeypatch.setattr(Slips, "answer", damaged)
    leader.answer([(first, b"done"), (second, b"done")])
    leader.give_back()
    assert leader._numbers()[1] < first.ticket
    for tickets in (leader, *others):
        tickets.close()


def test_who_is_answered_while_the_turn_goes_on_is_rung(location, monkeypatch):
    location.touch()
    monkeypatch.setattr("blackboard.store.tickets._RUNG_SECONDS", 3600)
    leader, other, done = Tickets.beside(location), Tickets.beside(location), []
    leader.take()
    thread = threading.Thread(target=lambda: done.append(other.take(lambda: b"wanted", helps=True)), daemon=True)
    thread.start()
    wait_for_ticket(location, 1)
    leader.answer([(slip, b"done") for slip in leader.behind()])
    thread.join(timeout=10)
    assert (done, leader._leads) == ([b"done"], True)
    leader.close()
    other.close()
