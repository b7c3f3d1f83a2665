"""The helper that starts PostgreSQL for tests: what it promises to the tests that use it."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

psycopg = pytest.importorskip("psycopg")

START_AND_WAIT = """
import sys
from postgres import PostgresServer
server = PostgresServer()
print(server.folder, server.url(), flush=True)
sys.stdin.read()
"""


def setting(connection, name):
    return connection.execute("SELECT current_setting(%s)", [name]).fetchone()[0]


@pytest.fixture
def connection(postgres_url):
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        yield connection


def test_it_is_a_supported_version_that_syncs_what_it_commits(connection):
    assert connection.info.server_version >= 150000
    assert setting(connection, "fsync") == setting(connection, "synchronous_commit") == "on"
    assert setting(connection, "full_page_writes") == "on"


def test_two_sessions_see_what_the_other_commits(postgres_url, connection):
    with psycopg.connect(postgres_url) as other:
        other.execute("CREATE TABLE t AS SELECT 1 AS n")
        assert connection.execute("SELECT to_regclass('t')").fetchone() == (None,)
        other.commit()
        assert connection.execute("SELECT n FROM t").fetchone() == (1,)


@pytest.mark.parametrize("attempt", [1, 2])
def test_each_test_has_a_database_of_its_own(connection, attempt):
    connection.execute("CREATE TABLE t (n int)")


@pytest.mark.parametrize("fault", ["restart", "kill"])
def test_committed_rows_survive(postgres_server, postgres_url, fault):
    with psycopg.connect(postgres_url) as connection:
        connection.execute("CREATE TABLE t AS SELECT 7 AS n")
        connection.commit()
        connection.execute("INSERT INTO t VALUES (8)")  # never committed
        getattr(postgres_server, fault)()
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    postgres_server.start()
    with psycopg.connect(postgres_url) as connection:
        assert connection.execute("SELECT n FROM t").fetchall() == [(7,)]


def test_a_stopped_server_refuses_connections(postgres_server, postgres_url):
    postgres_server.stop()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(postgres_url, connect_timeout=5)


def test_the_server_and_its_folder_go_with_a_killed_session():
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    session = subprocess.Popen(
        [sys.executable, "-c", START_AND_WAIT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    folder, url = session.stdout.readline().split()
    session.send_signal(signal.SIGKILL)
    session.communicate(timeout=60)  # the guard shares the session's standard output: it has ended too
    assert not Path(folder).exists()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url, connect_timeout=5)


def test_a_forked_child_that_lives_on_does_not_keep_the_server():
    from postgres import PostgresServer

    with PostgresServer() as server:
        child = multiprocessing.get_context("fork").Process(target=time.sleep, args=[600])
        child.start()
    assert not server.folder.exists()
    child.kill()
    child.join()
