"""Tickets: processes write in the order in which they came, whoever dies, stands still or cannot be told."""

import errno
import os
import struct
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import pytest
from ticketing import wait_for_ticket

from blackboard.store.tickets import PATIENCE_SECONDS, Tickets, _Bell


def test_tickets_are_served_in_the_order_in_which_they_were_taken(location):
    served, first = [], Tickets.beside(location)
    first.take()

    def take(number):
        tickets = Tickets.beside(location)
        started[number].set()
        tickets.take()
        served.append(number)
        tickets.give_back()
        tickets.close()

    started = [threading.Event() for _ in range(5)]
    threads = [threading.Thread(target=take, args=(number,)) for number in range(5)]
    for number, thread in enumerate(threads):
        thread.start()
        started[number].wait()
        wait_for_ticket(location, number + 1)
    first.give_back()
    for thread in threads:
        thread.join(timeout=30)
    first.close()
    assert served == list(range(5))


def waiting_behind(first, location, *, errand=None, answers=None):
    """Return a thread that waits for the turn behind another one, which has its ticket."""
    second = Tickets.beside(location)

    def take():
        answer = second.take(errand)
        if answers is not None:
            answers.append(answer)
        second.give_back()
        second.close()

    thread = threading.Thread(target=take, daemon=True)
    given = first._numbers()[0]
    thread.start()
    wait_for_ticket(location, given + 1)
    return thread


def test_who_waits_for_its_turn_is_told_that_it_has_come(location, monkeypatch):
    monkeypatch.setattr("blackboard.store.tickets._RUNG_SECONDS", 3600)
    monkeypatch.setattr("blackboard.store.tickets.PATIENCE_SECONDS", 3600)
    first = Tickets.beside(location)
    first.take()
    thread = waiting_behind(first, location)
    first.give_back()
    thread.join(timeout=30)
    assert not thread.is_alive()
    first.close()


def no_more(*_):
    raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))


@pytest.mark.parametrize("deaf", ["no sockets", "not heard"])
def test_who_cannot_be_told_looks_for_itself(location, monkeypatch, deaf):
    if deaf == "no sockets":
        monkeypatch.setattr("blackboard.store.tickets.socket", SimpleNamespace(socket=no_more, AF_UNIX=1, SOCK_DGRAM=2))
    else:
        monkeypatch.setattr("blackboard.store.tickets._Bell.ring", lambda *_: None)
    first = Tickets.beside(location)
    first.take()
    thread = waiting_behind(first, location)
    first.give_back()
    thread.join(timeout=30)
    assert not thread.is_alive()
    first.close()


def test_a_bell_is_relied_on_again_when_it_is_heard_and_no_longer_when_it_is_not(location, monkeypatch):
    first, second = Tickets.beside(location), Tickets.beside(location)

    def one_behind_the_other():
        first.take()
        thread, given = threading.Thread(target=second.take), first._numbers()[0]
        thread.start()
        wait_for_ticket(location, given + 1)
        first.give_back()
        thread.join(timeout=30)
        second.give_back()

    ring = _Bell.ring
    monkeypatch.setattr(_Bell, "ring", lambda *_: None)
    while second._rung:
        one_behind_the_other()
    monkeypatch.setattr(_Bell, "ring", ring)
    while not second._rung:
        one_behind_the_other()
    first.close()
    second.close()


def test_a_bell_that_comes_after_a_long_turn_is_relied_on_all_the_while(location, monkeypatch):
    monkeypatch.setattr("blackboard.store.tickets._RUNG_SECONDS", 0.001)
    first, second, looks, naps = Tickets.beside(location), Tickets.beside(location), [], []
    timing = SimpleNamespace(monotonic=time.monotonic, sleep=naps.append)
    monkeypatch.setattr("blackboard.store.tickets.time", timing)
    hear, long_enough = _Bell.hear, threading.Event()

    def heard(bell, seconds):
        if len(looks) == 5:
            # The look that comes next waits for the bell alone.
            long_enough.set()
            seconds = 3600
        looks.append(hear(bell, seconds))
        return looks[-1]

    monkeypatch.setattr(_Bell, "hear", heard)
    first.take()
    thread = threading.Thread(target=second.take)
    thread.start()
    assert long_enough.wait(30)
    first.give_back()
    thread.join(timeout=30)
    assert looks == [False] * 5 + [True]
    assert (second._rung, naps) == (True, [])
    first.close()
    second.close()


# --- who leads --------------------------------------------------------------------------------------------------------


def numbers(tickets, last, over):
    os.pwrite(tickets._file, struct.pack("qq", last, over), 0)


def in_line(location, text):
    """Return one that stands in line and does nothing more, as a process that is slow to wake up, and its slip."""
    tickets = Tickets.beside(location)
    slip = tickets._slips.leave(tickets._next(), text)
    numbers(tickets, slip.ticket, tickets._numbers()[1])
    return tickets, slip


def test_who_finds_that_nobody_leads_does_first_what_was_left_before_it(location):
    location.touch()
    waiting = [in_line(location, text) for text in (b"a", b"b")]
    comes = Tickets.beside(location)
    assert comes.take(helps=True) is None
    assert comes.before() == [slip for _, slip in waiting]
    behind, left = in_line(location, b"c")
    assert list(comes.behind()) == [left]
    comes.give_back([(slip, b"done") for _, slip in waiting])
    assert [tickets._slips.answered(slip).text for tickets, slip in waiting] == [b"done"] * 2
    assert comes._numbers()[:2] == (3, 2)
    for one in (*[tickets for tickets, _ in waiting], behind, comes):
        one.close()


@pytest.mark.parametrize(("left", "helps"), [(b"a", False), (None, True), ("refused", True), ("not yet there", True)])
def test_who_cannot_do_what_is_before_it_waits_until_that_is_over(location, left, helps):
    location.touch()
    if left == "not yet there":
        before = Tickets.beside(location)
        before._next()
        numbers(before, 1, 0)
    else:
        before, slip = in_line(location, b"a" if left == "refused" else left)
    if left == "refused":
        before.refuse(slip)
    comes, order = Tickets.beside(location), []
    thread = threading.Thread(target=lambda: (comes.take(helps=helps), order.append("comes")), daemon=True)
    thread.start()
    wait_for_ticket(location, 2)
    assert not order
    assert before.take() is None
    order.append("before")
    assert list(before.behind()) == []
    before.give_back()
    thread.join(timeout=30)
    assert order == ["before", "comes"]
    assert comes.before() == []
    for one in (before, comes):
        one.close()


def test_who_steps_back_keeps_its_place(location):
    location.touch()
    before, slip = in_line(location, b"a")
    comes, behind, order = Tickets.beside(location), Tickets.beside(location), []
    comes._next()
    numbers(comes, comes._mine, 0)
    assert comes.take(helps=True) is None
    assert comes.before() == [slip]
    other = threading.Thread(target=lambda: (behind.take(), order.append("behind"), behind.give_back()))
    other.start()
    wait_for_ticket(location, 3)
    comes.refuse(slip)
    comes.step_back([])
    again = threading.Thread(target=lambda: (comes.take(helps=True), order.append("comes"), comes.give_back()))
    again.start()
    assert before.take() is None
    order.append("before")
    before.give_back()
    for thread in (other, again):
        thread.join(timeout=30)
    assert order == ["before", "comes", "behind"]
    for one in (before, comes, behind):
        one.close()


def test_who_waits_is_told_though_the_count_of_tickets_is_too_low(location, monkeypatch):
    monkeypatch.setattr("blackboard.store.tickets._RUNG_SECONDS", 3600)
    monkeypatch.setattr("blackboard.store.tickets.PATIENCE_SECONDS", 3600)
    first = Tickets.beside(location)
    first.take()
    thread = waiting_behind(first, location)
    numbers(first, 0, 0)  # as of one who counted at the same time
    first.give_back()
    thread.join(timeout=10)
    assert not thread.is_alive()
    first.close()


def test_who_goes_past_the_line_keeps_nobody_in_it(location, monkeypatch):
    monkeypatch.setattr("blackboard.store.tickets.PATIENCE_SECONDS", 0.05)
    standing = Tickets.beside(location)
    standing.take()
    thread = waiting_behind(standing, location)
    until, past = time.monotonic() + 10, 3
    while thread.is_alive() and time.monotonic() < until:
        # One that came later takes one turn after the other.
        numbers(standing, past, past)
        past += 1
        thread.join(timeout=0.01)
    assert not thread.is_alive()
    standing.close()


def test_who_stands_still_with_a_ticket_is_passed_after_a_while(location, monkeypatch):
    monkeypatch.setattr("blackboard.store.tickets.PATIENCE_SECONDS", 0.05)
    standing, going = Tickets.beside(location), Tickets.beside(location)
    standing.take()
    began = time.monotonic()
    going.take()
    assert time.monotonic() - began < 10
    going.give_back()
    standing.close()
    going.close()


def take_turn(location, turns, name):
    tickets = Tickets.beside(location)
    tickets.take()
    turns.append(name)
    tickets.give_back()
    tickets.close()


@pytest.mark.parametrize("leads", [True, False], ids=["one that leads", "one that waits"])
def test_one_that_stands_still_is_waited_for_once(location, monkeypatch, leads):
    monkeypatch.setattr("blackboard.store.tickets.PATIENCE_SECONDS", 0.3)
    going, standing = Tickets.beside(location), Tickets.beside(location)
    if leads:
        standing.take()
    else:
        standing._count(standing._next())
    for patience in (30, 0.2, 0.2):
        began = time.monotonic()
        going.take()
        assert time.monotonic() - began < patience
        going.give_back()
    standing.give_back()
    assert going.take() is None
    assert going._leads
    going.close()
    standing.close()


def test_who_is_behind_is_passed_by_nobody_though_an_earlier_one_was_counted_late(location, monkeypatch):
    first, written, late = Tickets.beside(location), threading.Event(), threading.Event()
    first.take()
    write = os.pwrite

    def pwrite(file, content, at):
        if at == 0 and struct.unpack_from("q", content)[0] == 1 and not late.is_set():
            late.set()
            written.wait(30)
        return write(file, content, at)

    def wait(tickets, slip, **named):
        if slip.ticket == 1:
            counted.set()
        return wait_of(tickets, slip, **named)

    wait_of, counted, turns = Tickets._wait, threading.Event(), []
    monkeypatch.setattr("blackboard.store.tickets.os.pwrite", pwrite)
    monkeypatch.setattr(Tickets, "_wait", wait)
    threads = [threading.Thread(target=take_turn, args=(location, turns, name)) for name in "ab"]
    threads[0].start()
    late.wait(30)
    threads[1].start()
    wait_for_ticket(location, 2)
    written.set()
    counted.wait(30)
    assert first._numbers()[0] == 2
    first.give_back()
    for thread in threads:
        thread.join(30)
    assert turns == ["a", "b"]
    first.close()


def test_no_ticket_is_taken_that_is_over_already(location, monkeypatch):
    first, late, turns = Tickets.beside(location), Tickets.beside(location), []
    first.take()
    numbers_of = late._numbers

    def stale():
        found = numbers_of()
        del late._numbers
        threads = [threading.Thread(target=take_turn, args=(location, turns, name)) for name in "ab"]
        for number, thread in enumerate(threads, 1):
            thread.start()
            wait_for_ticket(location, number)
        first.give_back()
        for thread in threads:
            thread.join(30)
        first.take()
        return found

    late._numbers = stale
    ticket = late._next()
    late._count(ticket)
    assert (ticket, turns, first._numbers()[:2]) == (3, ["a", "b"], (3, 2))
    first.close()
    late.close()


def test_a_dead_process_leaves_no_ticket_behind(location):
    program = (
        "import os, sys; from pathlib import Path; from blackboard.store.tickets import Tickets; "
        "Tickets.beside(Path(sys.argv[1])).take(); os._exit(1)"
    )
    subprocess.run([sys.executable, "-c", program, str(location)], check=False)
    tickets = Tickets.beside(location)
    began = time.monotonic()
    tickets.take()
    assert time.monotonic() - began < PATIENCE_SECONDS
    tickets.close()
