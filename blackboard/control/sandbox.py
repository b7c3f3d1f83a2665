"""Run a command on some files in isolation.

The command gets a new folder with exactly the files, an empty environment, limits on time, memory, file size, processes
and output, and no network unless allowed. At its end or deadline, all its processes are killed. The isolation depends
on the system, and the label of the result names it: `bwrap` (file system read-only except for the folder, own process
and network namespaces), `unshare` (own process and network namespaces), `plain` (none of these).
"""

import contextlib
import math
import os
import platform
import secrets
import selectors
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path, PurePosixPath

from blackboard.errors import Invalid, SandboxMissing

MEBIBYTE = 1 << 20

_HEAD_SHARE = 4  # one part in this many of the kept output is its beginning; errors are usually at the end
_POLL_SECONDS = 0.1
_PROBE_SECONDS = 10.0
_END_SECONDS = 10.0
_END_POLL_SECONDS = 0.002
REPORT = "../report"
"""The file in which a command leaves a report for its caller, relative to its working folder."""
_MAX_REPORT_BYTES = 16 * MEBIBYTE
_MARK = "SANDBOX_RUN"
_PACKAGES = {"bwrap": "bubblewrap", "unshare": "util-linux"}

# Limits are set inside the namespaces: outside, the limit on processes would count all processes of the user. The
# launcher is Python because a shell has no portable names for the limits, and code between fork and exec is not safe in
# a process with threads. Its last act before the command is a byte on a pipe: without it, the command never began.
_LAUNCH = """
import os, resource, sys
if sys.argv[3] == "loopback":
    import fcntl, socket, struct
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh14x", b"lo", 1))  # SIOCSIFFLAGS, IFF_UP
for name, value in zip(sys.argv[1].split(","), sys.argv[2].split(",")):
    kind, wanted = getattr(resource, name), int(value)
    hard = resource.getrlimit(kind)[1]
    limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(kind, (limit, limit))
os.write(int(sys.argv[4]), b"+")
os.close(int(sys.argv[4]))
try:
    os.execvp(sys.argv[5], sys.argv[5:])
except OSError as error:
    sys.exit(f"{sys.argv[5]}: {error.strerror}")
"""


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a command.

    Attributes:
        seconds: Real time, and processor time of each process.
        processes: The largest number of processes at once; systems do not apply this to the superuser.
        output_bytes: The longest kept output; a line says how much was omitted.
    """

    seconds: float = 60.0
    memory_bytes: int = 4096 * MEBIBYTE
    file_bytes: int = 256 * MEBIBYTE
    processes: int = 256
    output_bytes: int = MEBIBYTE // 16


@dataclass(frozen=True, slots=True)
class Result:
    """How a command ended.

    Attributes:
        status: Its exit status, negative for a signal; None if the sandbox stopped it.
        output: Its standard output and standard error, in order.
        timed_out: The sandbox stopped it at the deadline.
        cancelled: The sandbox stopped it because its caller cancelled.
        truncated: A part of the output was omitted.
        label: The environment: Python's version and the kind of sandbox.
        report: The content of the file `REPORT`, empty if there is none.
    """

    status: int | None
    output: str
    timed_out: bool = False
    cancelled: bool = False
    truncated: bool = False
    label: str = ""
    report: bytes = b""

    @property
    def passed(self) -> bool:
        """Say whether the command ended by itself with status 0."""
        return self.status == 0


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A kind of isolation; `kind` is `bwrap`, `unshare` or `plain`."""

    kind: str
    limits: Limits = field(default_factory=Limits)

    @classmethod
    def best(cls, limits: Limits | None = None) -> "Sandbox":
        """Return the strictest sandbox that works on this system."""
        return cls(_best_kind(), limits or Limits())

    def label(self, *, network: bool) -> str:
        """Return the environment label that verdicts are bound to."""
        return f"python {platform.python_version()} {self.kind}{' network' if network else ''}"

    def run(
        self,
        command: Sequence[str],
        files: Mapping[str, str | bytes],
        *,
        network: bool = False,
        cancelled: Callable[[], bool] = _never,
    ) -> Result:
        """Run a command in a fresh folder.

        Args:
            command: Its arguments, without a shell; `python` means the current interpreter.
            files: Relative path -> content.
            network: Whether it may reach the network.
            cancelled: Called periodically; when it returns true, the command is killed.

        Raises:
            Invalid: A path leads out of the folder, or the command is empty.
            SandboxMissing: The tool of this kind is not found, or ended before the command began.
        """
        if not command:
            raise Invalid("a check without a command cannot be run; give it one, or a source that judges by reading")
        with _fresh_folder() as root:
            work = root / "work"
            _lay_out(work, files)
            mark = secrets.token_hex(16)
            wrapping = _wrapping(self.kind, root, work, network=network)
            with _began_pipe() as (began, begins):
                launching = _launching(self.kind, self.limits, begins, network=network)
                argv = [*wrapping, *launching, *command]
                run = _Run(argv, work, _environment(root, mark), self.limits, cancelled, begins)
                status, output, why = run.finish(mark)
                has_begun = bool(began())
            text = output.decode(errors="replace").replace(str(work), ".").replace(str(root), "..")
            if wrapping and not (why or has_begun):
                raise SandboxMissing(self.kind, text.strip() or f"exit status {status}", _PACKAGES[self.kind])
            return Result(
                status=status,
                output=text,
                timed_out=why == "deadline",
                cancelled=why == "cancelled",
                truncated=output.left_out > 0,
                label=self.label(network=network),
                report=_report(work / REPORT),
            )


class _Kept:
    """The beginning and the end of an output, and the number of bytes omitted between them."""

    def __init__(self, limit: int) -> None:
        self._head_limit = limit // _HEAD_SHARE
        self._tail_limit = limit - self._head_limit
        self._head = bytearray()
        self._tail = bytearray()
        self.left_out = 0

    def add(self, chunk: bytes) -> None:
        """Append output."""
        room = self._head_limit - len(self._head)
        self._head += chunk[:room]
        self._tail += chunk[room:]
        surplus = len(self._tail) - self._tail_limit
        if surplus > 0:
            self.left_out += surplus
            del self._tail[:surplus]

    def decode(self, errors: str) -> str:
        """Return the text, with a line for the omitted part."""
        gap = f"\n[{self.left_out} bytes left out]\n".encode() if self.left_out else b""
        return bytes(self._head + gap + self._tail).decode("utf-8", errors)


class _Run:
    """One process with all its descendants."""

    def __init__(
        self,
        argv: Sequence[str],
        work: Path,
        environment: Mapping[str, str],
        limits: Limits,
        cancelled: Callable[[], bool],
        begins: int,
    ) -> None:
        self._output = _Kept(limits.output_bytes)
        self._deadline = time.monotonic() + limits.seconds
        self._cancelled = cancelled
        self._process = subprocess.Popen(  # noqa: S603 - running the operator's command is what this is for
            argv,
            cwd=work,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=(begins,),
        )

    def finish(self, mark: str) -> tuple[int | None, _Kept, str]:
        """Wait until it ends or has to be stopped; return (status, output, why it was stopped or "")."""
        stream = self._process.stdout
        assert stream is not None  # noqa: S101 - asked for above
        os.set_blocking(stream.fileno(), False)
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(stream, selectors.EVENT_READ)
                why = self._read(stream.fileno(), selector)
        finally:
            # Kill its descendants too, even if the process itself has ended or reading failed.
            _kill(self._process.pid, mark)
            self._process.wait()
        while self._take(stream.fileno()):
            pass
        stream.close()
        return (None if why else self._process.returncode), self._output, why

    def _read(self, descriptor: int, selector: selectors.BaseSelector) -> str:
        is_open = True
        while self._process.poll() is None:
            left = self._deadline - time.monotonic()
            if left <= 0:
                return "deadline"
            if self._cancelled():
                return "cancelled"
            if not is_open:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(min(left, _POLL_SECONDS))
            elif selector.select(min(left, _POLL_SECONDS)):
                is_open = self._take(descriptor)
        return ""

    def _take(self, descriptor: int) -> bool:
        """Read the available output; False at its end, or if nothing is available."""
        try:
            chunk = os.read(descriptor, MEBIBYTE)
        except BlockingIOError:
            return False
        self._output.add(chunk)
        return bool(chunk)


@contextlib.contextmanager
def _began_pipe() -> Iterator[tuple[Callable[[], bytes], int]]:
    """Lend a pipe: what reads it without waiting, and the end for the launcher."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)

    def read() -> bytes:
        with contextlib.suppress(BlockingIOError):
            return os.read(reading, 1)
        return b""

    try:
        yield read, writing
    finally:
        os.close(reading)
        os.close(writing)


@contextlib.contextmanager
def _fresh_folder() -> Iterator[Path]:
    root = Path(tempfile.mkdtemp(prefix="sandbox-")).resolve()
    try:
        (root / "tmp").mkdir()
        (root / "work").mkdir()
        yield root
    finally:
        shutil.rmtree(root, onerror=_force)


def _force(remove: Callable[[str], object], path: str, _: object) -> None:
    """Remove a file that the command protected; one that cannot be removed stays in the temporary folder."""
    with contextlib.suppress(OSError):
        Path(path).parent.chmod(0o700)
        Path(path).chmod(0o700)
        remove(path)


def _lay_out(work: Path, files: Mapping[str, str | bytes]) -> None:
    for path, content in files.items():
        parts = PurePosixPath(path)
        if parts.is_absolute() or ".." in parts.parts or not parts.parts:
            raise Invalid(f"the path {path!r} leads out of the folder; use a relative one without '..'")
        place = work.joinpath(*parts.parts)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content.encode() if isinstance(content, str) else content)


def _report(path: Path) -> bytes:
    """Read a report if there is one; links and special files are not read."""
    with contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            return file.read(_MAX_REPORT_BYTES) if stat.S_ISREG(os.fstat(descriptor).st_mode) else b""
    return b""


def _environment(root: Path, mark: str) -> dict[str, str]:
    own = str(Path(sys.executable).parent)
    return {
        "PATH": os.pathsep.join([own, "/usr/local/bin", "/usr/bin", "/bin"]),
        "HOME": str(root),
        "TMPDIR": str(root / "tmp"),
        "LANG": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        _MARK: mark,
    }


def _launching(kind: str, limits: Limits, begins: int, *, network: bool) -> list[str]:
    processes = limits.processes + (0 if kind == "bwrap" else _tasks_of_user())
    values = {
        "RLIMIT_CPU": math.ceil(limits.seconds) + 1,
        "RLIMIT_AS": limits.memory_bytes,
        "RLIMIT_FSIZE": limits.file_bytes,
        "RLIMIT_NPROC": processes,
        "RLIMIT_CORE": 0,
    }
    numbers = ",".join(str(value) for value in values.values())
    # `bwrap` enables the loopback of a new network by itself.
    loopback = "loopback" if kind == "unshare" and not network else ""
    return [sys.executable, "-I", "-S", "-c", _LAUNCH, ",".join(values), numbers, loopback, str(begins)]


def _tasks_of_user() -> int:
    """Count the user's processes: without an own namespace the limit counts them too."""
    me, tasks = os.getuid(), 0
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if entry.stat().st_uid == me:
                tasks += sum(1 for _ in (entry / "task").iterdir())
    return tasks


def _wrapping(kind: str, root: Path, work: Path, *, network: bool) -> list[str]:
    if kind == "plain":
        return []
    # Why the whole path: the cleared environment has a search path of its own, in which the tool need not be.
    tool = shutil.which(kind)
    if tool is None:
        raise SandboxMissing(kind, "it is not found", _PACKAGES[kind])
    if kind == "bwrap":
        shared = [] if network else ["--unshare-net"]
        spaces = ["--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", *shared]
        view = ["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--bind", str(root), str(root)]
        return [tool, *spaces, "--cap-drop", "ALL", "--die-with-parent", *view, "--chdir", str(work), "--"]
    shared = [] if network else ["--net"]
    return [tool, "--user", "--map-root-user", "--pid", "--fork", "--kill-child", *shared, "--"]


@lru_cache(maxsize=1)
def _best_kind() -> str:
    """Try the kinds from the strictest on: an installed tool may still be forbidden, for example in a container."""
    for kind in ("bwrap", "unshare"):
        if shutil.which(kind) is None:
            continue
        with _fresh_folder() as root:
            argv = [*_wrapping(kind, root, root, network=False), "true"]
            with contextlib.suppress(OSError, subprocess.TimeoutExpired):
                done = subprocess.run(argv, capture_output=True, timeout=_PROBE_SECONDS, check=False)  # noqa: S603
                if done.returncode == 0:
                    return kind
    return "plain"


def _kill(leader: int, mark: str) -> None:
    """Kill the process group, and processes outside it that have the run's mark, and wait until all have ended.

    This repeats, because a process ends some time after its signal and may fork before. The wait is at most
    `_END_SECONDS`, because a process that waits for a disk cannot be killed.
    """
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)
    deadline = time.monotonic() + _END_SECONDS
    while (left := list(_marked(mark))) and time.monotonic() < deadline:
        for number in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(number, signal.SIGKILL)
        time.sleep(_END_POLL_SECONDS)


def _marked(mark: str) -> Iterator[int]:
    wanted = f"{_MARK}={mark}".encode()
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if wanted in (entry / "environ").read_bytes().split(b"\0"):
                yield int(entry.name)
