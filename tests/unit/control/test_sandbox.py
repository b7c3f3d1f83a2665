"""What a command can do in the sandbox, for each kind that this system has."""

import os
import socket
import subprocess
import time
from pathlib import Path

import pytest
from tools import lacking, require_tool

from blackboard.control.sandbox import MEBIBYTE, Limits, Sandbox
from blackboard.errors import Invalid, SandboxMissing


@pytest.fixture(params=["plain", "unshare", "bwrap"])
def kind(request):
    if request.param != "plain":
        require_tool(request.param)
        if not _works(request.param):
            lacking(request.param, "is forbidden here")
    return request.param


def _works(kind: str) -> bool:
    asked = {"unshare": ["unshare", "--user", "true"], "bwrap": ["bwrap", "--ro-bind", "/", "/", "true"]}[kind]
    return subprocess.run(asked, capture_output=True, check=False).returncode == 0


def box(kind: str, **limits: float) -> Sandbox:
    return Sandbox(kind, Limits(**{"seconds": 20, **limits}))


def python(text: str) -> list[str]:
    return ["python", "-c", text]


def processes(word: str) -> list[int]:
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if word.encode() in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return [number for number in found if number != os.getpid()]


def test_the_folder_holds_exactly_the_files(kind):
    text = "import os; print(sorted(os.path.join(d, f) for d, _, fs in os.walk('.') for f in fs), open('a/b').read())"
    result = box(kind).run(python(text), {"a/b": "hi", "c.bin": b"\xff"})
    assert result.passed, result.output
    assert result.output == "['./a/b', './c.bin'] hi\n"
    assert result.label.endswith(kind)


def test_the_environment_is_cleared(kind, monkeypatch):
    monkeypatch.setenv("SECRET", "s3cret")
    result = box(kind).run(python("import os; print(os.environ)"), {})
    assert result.passed
    assert "s3cret" not in result.output


def test_a_failure_is_told_with_its_status_and_output(kind):
    result = box(kind).run(
        python("import sys; print('out'); print('err', file=sys.stderr, flush=True); sys.exit(3)"), {}
    )
    assert (result.status, result.passed, result.timed_out) == (3, False, False)
    assert sorted(result.output.splitlines()) == ["err", "out"]


def test_a_command_that_is_missing_is_a_failure_that_says_so(kind):
    result = box(kind).run(["no-such-command"], {})
    assert result.status == 1
    assert result.output == "no-such-command: No such file or directory\n"


def test_the_deadline_kills_grandchildren_too_even_those_in_another_session(kind):
    word = f"12{time.monotonic_ns() % 1000}.25"
    text = (
        "import subprocess, time\n"
        f"subprocess.Popen(['sleep', '{word}'])\n"
        f"subprocess.Popen(['setsid', 'sleep', '{word}'], start_new_session=True)\n"
        "print('started', flush=True)\n"
        "time.sleep(60)\n"
    )
    result = box(kind, seconds=1).run(python(text), {})
    assert result.timed_out
    assert result.status is None
    assert result.output == "started\n"
    assert processes(word) == []


def test_nothing_is_left_of_many_that_were_killed(kind):
    word = f"14{time.monotonic_ns() % 1000}.25"
    text = (
        "import subprocess, time\n"
        f"for _ in range(100): subprocess.Popen(['sleep', '{word}'], start_new_session=True)\n"
        "time.sleep(60)\n"
    )
    assert box(kind, seconds=1).run(python(text), {}).timed_out
    assert processes(word) == []


def test_what_outlives_the_command_is_killed_when_it_ends(kind):
    word = f"13{time.monotonic_ns() % 1000}.25"
    result = box(kind).run(python(f"import subprocess; subprocess.Popen(['sleep', '{word}'])"), {})
    assert result.passed
    assert processes(word) == []


def test_a_command_that_ignores_signals_and_closes_its_outputs_is_killed(kind):
    text = (
        "import os, signal, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "os.close(1); os.close(2)\n"
        "time.sleep(60)\n"
    )
    assert box(kind, seconds=0.5).run(python(text), {}).timed_out


def test_output_is_cut_in_the_middle_and_says_so(kind):
    text = "print('first'); print('x' * 500_000); print('last')"
    result = box(kind, output_bytes=1000).run(python(text), {})
    assert result.truncated
    assert result.output.startswith("first\n")
    assert result.output.endswith("last\n")
    assert "bytes left out]" in result.output
    assert len(result.output) < 1100


def test_endless_output_ends_at_the_deadline(kind):
    result = box(kind, seconds=0.5, output_bytes=1000).run(python("while True: print('y' * 1000)"), {})
    assert result.timed_out
    assert result.truncated


def test_memory_is_limited(kind):
    result = box(kind, memory_bytes=512 * MEBIBYTE).run(python("bytearray(600 * 2**20)"), {})
    assert not result.passed
    assert "MemoryError" in result.output


def test_the_size_of_a_file_is_limited(kind):
    text = "import os; open('big', 'wb', 0).write(b'x' * 5000); print(os.path.getsize('big'))"
    assert box(kind, file_bytes=1000).run(python(text), {}).output == "1000\n"
    assert box(kind, file_bytes=9000).run(python(text), {}).output == "5000\n"


def test_processor_time_is_limited(kind):
    text = (
        "import resource; print(resource.getrlimit(resource.RLIMIT_CPU)[0], resource.getrlimit(resource.RLIMIT_CORE))"
    )
    assert box(kind, seconds=7).run(python(text), {}).output == "8 (0, 0)\n"


@pytest.mark.parametrize("kind", ["unshare", "bwrap"], indirect=True)
def test_there_is_no_network_but_the_loopback(kind):
    text = (
        "import socket\n"
        "server = socket.create_server(('127.0.0.1', 0))\n"
        "socket.create_connection(server.getsockname(), 2)\n"
        "print(sorted(name for _, name in socket.if_nameindex()))\n"
    )
    result = box(kind).run(python(text), {})
    assert result.passed, result.output
    assert "lo" in result.output
    assert "eth" not in result.output
    allowed = box(kind).run(python("import socket; print(len(socket.if_nameindex()))"), {}, network=True)
    assert int(allowed.output) == len(socket.if_nameindex())
    assert allowed.label.endswith("network")


@pytest.mark.parametrize("kind", ["bwrap"], indirect=True)
def test_nothing_outside_the_folder_can_be_written(kind, tmp_path):
    result = box(kind).run(python(f"open({str(tmp_path / 'x')!r}, 'w')"), {})
    assert not result.passed
    assert list(tmp_path.iterdir()) == []


def test_a_path_that_leads_out_of_the_folder_is_refused():
    for path in ("../x", "/etc/x", "a/../../x", ""):
        with pytest.raises(Invalid):
            box("plain").run(["true"], {path: "x"})
    with pytest.raises(Invalid):
        box("plain").run([], {})


def test_the_folder_is_gone_afterwards_whatever_the_command_did_to_it(kind, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert box(kind).run(["sh", "-c", "mkdir -p d/e && echo x > d/e/f && chmod 500 d/e d"], {}).passed
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_is_no_longer_wanted_is_killed(kind):
    begun = time.monotonic()
    result = box(kind).run(["sleep", "60"], {}, cancelled=lambda: time.monotonic() > begun + 0.2)
    assert (result.cancelled, result.timed_out, result.status) == (True, False, None)


def test_the_best_kind_works():
    assert Sandbox.best().run(["true"], {}).passed


def test_a_tool_that_is_missing_is_said_and_how_to_go_on_with_or_without_it(kind, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    if kind == "plain":
        assert box(kind).run(["true"], {}).passed
        return
    with pytest.raises(SandboxMissing, match="install") as caught:
        box(kind).run(["true"], {})
    assert (caught.value.kind, caught.value.why) == (kind, "it is not found")


def test_a_tool_is_run_from_where_it_was_found(kind, tmp_path, monkeypatch):
    """The environment of the command has a search path of its own, in which the tool need not be."""
    (tmp_path / kind).write_text('#!/bin/sh\nwhile [ "$1" != -- ]; do shift; done; shift; echo of mine; exec "$@"\n')
    (tmp_path / kind).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    result = box(kind).run(["echo", "ran"], {}, network=True)
    assert result.output == ("ran\n" if kind == "plain" else "of mine\nran\n")


def test_a_tool_that_is_forbidden_here_is_no_failure_of_the_command(kind, tmp_path, monkeypatch):
    (tmp_path / kind).write_text("#!/bin/sh\necho no permission to make a namespace; exit 1\n")
    (tmp_path / kind).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    if kind == "plain":
        assert box(kind).run(["true"], {}).passed
        return
    with pytest.raises(SandboxMissing) as caught:
        box(kind).run(["true"], {})
    assert caught.value.why == "no permission to make a namespace"


def test_a_run_that_ends_before_its_command_begins_is_not_taken_for_a_missing_tool(kind, tmp_path, monkeypatch):
    (tmp_path / kind).write_text("#!/bin/sh\nexec sleep 60\n")
    (tmp_path / kind).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert box(kind).run(["sleep", "60"], {}, cancelled=lambda: True).cancelled
