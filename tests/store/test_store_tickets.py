"""Tickets: processes write in the order in which they came, whoever dies, stands still or cannot be told."""

import errno
import os
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import pytest
from ticketing import wait_for_ticket

from blackboard.store.slips import Slips
from blackboard.store.tickets import PATIENCE_SECONDS, Tickets, _Bells


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
        wait_for_ticket(location, number + 2)
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
    thread.start()
    wait_for_ticket(location, first._mine + 1)
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
        monkeypatch.setattr("blackboard.store.tickets._Bells.ring", lambda *_: None)
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
        thread = threading.Thread(target=second.take)
        thread.start()
        wait_for_ticket(location, first._mine + 1)
        first.give_back()
        thread.join(timeout=30)
        second.give_back()

    ring = _Bells.ring
    monkeypatch.setattr(_Bells, "ring", lambda *_: None)
    while second._rung:
        one_behind_the_other()
    monkeypatch.setattr(_Bells, "ring", ring)
    while not second._rung:
        one_behind_the_other()
    first.close()
    second.close()


def test_a_bell_that_comes_after_a_long_turn_is_relied_on_all_the_while(location, monkeypatch):
    monkeypatch.setattr("blackboard.store.tickets._RUNG_SECONDS", 0.001)
    first, second, looks, naps = Tickets.beside(location), Tickets.beside(location), [], []
    timing = SimpleNamespace(monotonic=time.monotonic, sleep=naps.append)
    monkeypatch.setattr("blackboard.store.tickets.time", timing)
    hear = _Bells.hear
    monkeypatch.setattr(_Bells, "hear", lambda _, *told: looks.append(hear(*told)) or looks[-1])
    first.take()
    thread = threading.Thread(target=second.take)
    thread.start()
    until, gate = time.monotonic() + 30, threading.Event()
    while len(looks) < 5 and time.monotonic() < until:
        gate.wait(0.001)
    # The look that comes next waits for the bell alone.
    monkeypatch.setattr("blackboard.store.tickets._RUNG_SECONDS", 3600)
    before = len(looks)
    while len(looks) == before and time.monotonic() < until:
        gate.wait(0.001)
    first.give_back()
    thread.join(timeout=30)
    assert looks[:5] == [False] * 5
    assert (second._rung, naps) == (True, [])
    first.close()
    second.close()


def test_whose_errand_was_done_waits_for_the_answer_and_who_is_behind_goes_before_it(location, monkeypatch):
    location.touch()
    first, behind, order = Tickets.beside(location), Tickets.beside(location), []
    first.take()
    thread = waiting_behind(first, location, errand=lambda: b"wanted", answers=order)
    third = threading.Thread(target=lambda: (behind.take(), order.append("behind")))
    third.start()
    wait_for_ticket(location, first._mine + 2)
    [slip] = first.errands()
    answer = Slips.answer

    def late(*told):
        third.join(timeout=30)
        # Long enough for who waits to look behind its bell.
        threading.Event().wait(0.1)
        answer(*told)

    monkeypatch.setattr(Slips, "answer", late)
    first.give_back([(slip, b"done")])
    thread.join(timeout=30)
    assert order == ["behind", b"done"]
    first.close()
    behind.close()


def test_who_waits_is_told_though_the_count_of_tickets_is_too_low(location, monkeypatch):
    monkeypatch.setattr("blackboard.store.tickets._RUNG_SECONDS", 3600)
    monkeypatch.setattr("blackboard.store.tickets.PATIENCE_SECONDS", 3600)
    first = Tickets.beside(location)
    first.take()
    thread = waiting_behind(first, location)
    first._count(first._mine, first._mine)  # as of one who counted at the same time
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
        # One that came later, and lost its patience earlier, takes one turn after the other.
        standing._count(past, past)
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
