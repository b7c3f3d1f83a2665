"""The child of a fork leaves the parent's board alone, and is not kept by threads that it does not have."""

import os
import signal
import subprocess
import sys
import threading

from blackboard import Blackboard
from blackboard.store.line import Line
from blackboard.store.sqlite import Connection


def test_a_child_closes_a_board_of_which_a_thread_of_its_parent_leads_the_queue(location, given):
    with Blackboard.open(location, create=True) as board:
        leads, ends = threading.Event(), threading.Event()

        def lead():
            with board.store.writer.turn():
                leads.set()
                ends.wait(60)

        thread = threading.Thread(target=lead)
        thread.start()
        leads.wait()
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(20)  # it would wait for ever
            board.close()
            os._exit(0)
        _, status = os.waitpid(child, 0)
        ends.set()
        thread.join()
        assert os.waitstatus_to_exitcode(status) == 0
        assert given(board).decided("api/ids", "int").revision == 1


def test_a_child_closes_no_connection_of_its_parent(location, given):
    """A thread of the parent may have been inside SQLite, and its locks would be waited for for ever."""
    with Blackboard.open(location, create=True) as board:
        given(board).decided("api/ids", "int")
        child = os.fork()
        if child == 0:
            Connection.close = lambda _: os._exit(1)
            board.close()
            os._exit(0)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        assert given(board).decided("api/names", "text").revision == 2


def test_a_dead_process_has_no_turn_any_more_though_its_child_lives(location):
    """A lock of this kind belongs to all that share the open file, and a child of a fork is one of them."""
    program = (
        "import os, sys, time; from blackboard import Blackboard; board = Blackboard.open(sys.argv[1], create=True); "
        "board.store.database.line.take(); child = os.fork(); "
        "child or (os.close(1), time.sleep(60)); os.write(1, b'%d' % child); os._exit(0)"
    )
    told = subprocess.run([sys.executable, "-c", program, str(location)], check=True, stdout=subprocess.PIPE)
    line = Line.beside(location)
    try:
        line._number()
        assert line._before() == 0
    finally:
        os.kill(int(told.stdout), signal.SIGKILL)
        line.close()
