import json
import unicodedata

import pytest

from blackboard import Contract
from blackboard.board import Blackboard
from blackboard.cli import main as command
from blackboard.cli.exits import Exit
from blackboard.cli.main import main

HOSTILE = "what\x1b[31m \u202enow\u200b [red]x[/red]\r\n?"


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with a board in which one thing is decided; commands run there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BB_BOARD", raising=False)
    (tmp_path / "team.py").write_text("")
    with Blackboard.open(tmp_path / "board.db", create=True) as board, board.transaction("ann") as transaction:
        transaction.decide("api/ids", Contract.value("int"))
    return tmp_path


def file(place, name, text):
    (place / name).write_text(text)
    return name


def said(capsys):
    shown = capsys.readouterr()
    return shown.out, shown.err


def one_line(text):
    return text.count("\n") == 1 and text.endswith("\n") and "Traceback" not in text


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["status"], Exit.NO),
        (["show"], Exit.YES),
        (["show", "api/ids"], Exit.YES),
        (["show", "api/none"], Exit.NO),
        (["show", "none/*"], Exit.NO),
        (["show", "api/ids", "--version", "9"], Exit.NO),
        (["export", "team.py"], Exit.FAILED),
        (["why", "api/ids"], Exit.YES),
        (["why", "api/none"], Exit.NO),
        (["log"], Exit.YES),
        (["diff", "0"], Exit.NO),
        (["diff", "1"], Exit.YES),
        (["watch", "--once"], Exit.YES),
        (["board", "doctor"], Exit.YES),
        (["--help"], Exit.YES),
        ([], Exit.USAGE),
        (["board"], Exit.USAGE),
        (["nonsense"], Exit.USAGE),
        (["status", "--nonsense"], Exit.USAGE),
        (["diff", "x"], Exit.USAGE),
        (["vote", "api/ids"], Exit.USAGE),
        (["vote", "api/ids", "--yes", "--no"], Exit.USAGE),
        (["vote", "api/ids", "--no", "--yes"], Exit.USAGE),
        (["decide", "api/ids"], Exit.USAGE),
        (["decide", "api/ids", "none.json"], Exit.USAGE),
        (["show", "../x"], Exit.FAILED),
        (["diff", "7"], Exit.FAILED),
        (["status", "--board", "none.db"], Exit.FAILED),
        (["status", "--board", "team.py"], Exit.FAILED),
        (["status", "--board", "."], Exit.FAILED),
        (["vote", "api/ids", "--yes"], Exit.NO),
        (["vote", "api/ids", "--no"], Exit.NO),
        (["revert", "api/ids", "--to", "9"], Exit.NO),
    ],
)
def test_every_command_answers_with_its_exit_status(place, capsys, arguments, status):
    assert main(arguments) == status
    out, err = said(capsys)
    assert bool(out) != bool(err)
    assert not err or one_line(err)
    assert sorted(one.name for one in place.iterdir() if not one.name.startswith("board.db")) == ["team.py"]


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize(
    "arguments",
    [["status"], ["why", "api/ids"], ["show"], ["show", "api/ids"], ["log"], ["diff", "0"], ["watch", "--once"]],
)
def test_every_command_that_looks_prints_the_same_record_as_json(capsys, arguments):
    plain = main(arguments)
    capsys.readouterr()
    assert main([*arguments, "--json"]) == plain
    assert isinstance(json.loads(said(capsys)[0]), dict)


def test_a_decision_is_taken_from_a_file_in_the_language_of_its_suffix(place, capsys):
    file(place, "ids.json", '"uuid"')
    file(place, "api.pyi", "def add(x: int) -> int: ...\n")
    file(place, "tone.md", "Be kind.\n")
    file(place, "server.task.toml", 'summary = "serves"\nuses = ["api/ids"]\n')
    file(place, "body.json", '{"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "string"}')
    pairs = ["api/ids", "ids.json", "api/add", "api.pyi", "tone", "tone.md", "task/server", "server.task.toml"]
    assert main(["decide", *pairs, "api/body", "body.json", "--because", "it is time"]) == Exit.YES
    assert "committed as revision 2" in said(capsys)[0]
    with Blackboard.open(place / "board.db") as board:
        languages = {one.key: one.contract.language for one in board.snapshot().decisions()}
        assert board.snapshot().decision("api/ids").rationale == "it is time"
    assert languages == {
        "api/ids": "value",
        "api/add": "python",
        "tone": "text",
        "task/server": "task",
        "api/body": "json-schema",
    }


def test_a_dry_run_writes_nothing_and_says_what_would_be(place, capsys):
    file(place, "ids.json", '"uuid"')
    assert main(["decide", "api/ids", "ids.json", "--dry-run"]) == Exit.YES
    assert said(capsys)[0].startswith("would amend api/ids 1 -> 2:  $ int -> uuid   breaking for uses")
    main(["log", "--json"])
    assert json.loads(said(capsys)[0])["revision"] == 1


def test_several_keys_are_decided_in_one_commit_or_not_at_all(place, capsys):
    file(place, "ids.json", '"uuid"')
    assert main(["decide", "api/ids", "ids.json", "member/ann", "ids.json"]) == Exit.FAILED
    assert one_line(said(capsys)[1])
    with Blackboard.open(place / "board.db") as board:
        assert board.revision == 1


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("nan.json", b"NaN"),
        ("twice.json", b'{"a": 1, "a": 2}'),
        ("surrogate.json", b'"\\ud800"'),
        ("broken.json", b'{"a": '),
        ("broken.pyi", b"def f(:"),
        ("broken.task.toml", b"summary ="),
        ("latin.md", b"K\xe4se"),
        ("large.md", b"x" * 10_000_000),
        ("nosuffix", b"x"),
        ("wrong.exe", b"x"),
    ],
)
def test_a_bad_file_is_one_typed_line_and_the_next_good_one_works(place, capsys, name, content):
    (place / name).write_bytes(content)
    assert main(["decide", "api/new", name]) == Exit.FAILED
    assert one_line(said(capsys)[1])
    file(place, "good.json", "1")
    assert main(["decide", "api/new", "good.json"]) == Exit.YES
    assert "revision 2" in said(capsys)[0]


def test_an_error_in_a_file_names_the_file_and_the_line(place, capsys):
    file(place, "b.json", '{\n"a": }')
    main(["decide", "api/new", "b.json"])
    assert "b.json at line 2" in said(capsys)[1]


def test_a_device_without_end_is_not_read_to_its_end(place, capsys):
    (place / "endless.md").symlink_to("/dev/zero")
    assert main(["decide", "api/new", "endless.md"]) == Exit.FAILED
    assert one_line(said(capsys)[1])


@pytest.mark.parametrize(
    "arguments",
    [
        ["decide", "api/ids", "none.json"],
        ["propose", "api/ids", "none.json"],
        ["vote", "api/ids", "--yes"],
        ["revert", "api/ids", "--to", "1"],
        ["board", "compact", "--before", "1", "--yes"],
        ["board", "pause"],
        ["board", "drain"],
        ["board", "resume"],
        ["board", "cancel", "ann", "api/ids"],
        ["board", "retry", "ann", "api/ids"],
        ["board", "unlock", "api/ids"],
        ["board", "budget", "tokens", "1"],
        ["board", "seal"],
    ],
    ids=" ".join,
)
@pytest.mark.parametrize(
    ("reason", "why"),
    [("ä" * 524_289, "the reason has 1048578 bytes; the limit is 1048576"), ("\udc80", "the reason: lone surrogate")],
    ids=["too long", "no text"],
)
def test_a_reason_that_no_board_takes_is_refused_before_anything_is_read(place, capsys, arguments, reason, why):
    assert main([*arguments, "--because", reason, "--board", "none.db"]) == Exit.FAILED
    err = said(capsys)[1]
    assert one_line(err)
    assert why in err


def test_a_reason_may_have_a_mebibyte(place, capsys):
    assert main(["board", "pause", "--because", "x" * 1_048_576]) == Exit.YES


def test_propose_vote_ask_and_revert_commit_for_the_named_author(place, capsys):
    file(place, "ids.json", '"uuid"')
    assert main(["propose", "api/ids", "ids.json", "--as", "bob", "--because", "clients"]) == Exit.YES
    assert "bob proposed api/ids" in said(capsys)[0]
    assert main(["ask", "api/page", "how many?", "--option", "20", "--option", "all", "--as", "bob"]) == Exit.YES
    assert main(["revert", "api/ids", "--to", "1", "--as", "cat"]) == Exit.YES
    with Blackboard.open(place / "board.db") as board:
        snapshot = board.snapshot()
        assert snapshot.questions()[0].options == (20, "all")
        assert snapshot.decision("api/ids").value == "int"
        assert snapshot.decision("api/ids").rationale == "back to version 1"
        assert [one.author for one in board.changes(after=1)] == ["bob", "bob", "bob", "cat", "cat"]


@pytest.mark.parametrize("said_twice", [[], ["--yes", "--no"]])
def test_a_vote_is_yes_or_no(place, capsys, said_twice):
    file(place, "ids.json", '"uuid"')
    assert main(["propose", "api/ids", "ids.json", "--as", "bob"]) == Exit.YES
    capsys.readouterr()
    assert main(["vote", "api/ids", *said_twice]) == Exit.USAGE
    assert "give either --yes or --no" in said(capsys)[1]


@pytest.mark.parametrize("arguments", [["why", "api/new"], ["show", "api/new"], ["status"], ["watch", "--once"]])
def test_hostile_text_reaches_the_terminal_as_visible_text(place, capsys, arguments):
    assert main(["ask", "api/new", HOSTILE]) == Exit.YES
    file(place, "new.json", json.dumps(HOSTILE))
    assert main(["propose", "api/other", "new.json", "--because", HOSTILE]) == Exit.YES
    capsys.readouterr()
    main(arguments)
    out, err = said(capsys)
    assert not [one for one in out + err if one != "\n" and unicodedata.category(one) in ("Cc", "Cf")]
    if arguments[0] in ("why", "show"):
        assert r"what\x1b[31m \u202enow\u200b [red]x[/red]\r\n?" in out


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize("arguments", [["show", HOSTILE], [HOSTILE], ["show", f"--{HOSTILE}"], ["status", "--as", "x"]])
def test_hostile_arguments_come_back_as_one_visible_line(capsys, arguments):
    assert main(arguments) in (Exit.USAGE, Exit.FAILED)
    _, err = said(capsys)
    assert one_line(err)
    assert not [one for one in err if one != "\n" and unicodedata.category(one) in ("Cc", "Cf")]


@pytest.mark.parametrize(
    "arguments",
    [["status"], ["log"], ["show"], ["watch", "--once"], ["export", "out"], ["board", "doctor"], ["board", "upgrade"]],
)
def test_no_command_makes_a_board_unless_it_is_meant_to(tmp_path, monkeypatch, capsys, arguments):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BB_BOARD", "none.db")
    assert main(arguments) == Exit.FAILED
    assert one_line(said(capsys)[1])
    assert not list(tmp_path.iterdir())


def test_a_board_is_created_upgraded_backed_up_and_examined(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BB_BOARD", "b.db")
    assert main(["board", "create", "b.db"]) == Exit.YES
    assert main(["ask", "api/ids", "which?"]) == Exit.YES
    assert main(["board", "create", "b.db"]) == Exit.YES
    assert main(["board", "upgrade"]) == Exit.YES
    assert main(["board", "backup", "copy.db"]) == Exit.YES
    assert "copy.db is the board as of revision 1" in said(capsys)[0]
    assert main(["board", "doctor"]) == Exit.YES
    head = said(capsys)[0].split()[-1]
    assert main(["board", "doctor", "--head", head]) == Exit.YES
    assert main(["board", "doctor", "--head", "x"]) == Exit.USAGE
    assert main(["board", "doctor", "--head", head[:-1] + "x"]) == Exit.NO
    assert main(["show", "--board", "copy.db"]) == Exit.YES


def test_a_board_is_folded_and_copied_with_the_same_record_as_json(place, capsys):
    with Blackboard.open(place / "board.db") as board, board.transaction("ann") as transaction:
        transaction.decide("api/page", Contract.value(20))
    assert main(["board", "compact", "--before", "2", "--yes", "--json"]) == Exit.YES
    folded = json.loads(said(capsys)[0])
    assert (folded["revision"], len(folded["acts"]), folded["accepted"]) == (3, 1, [])
    assert "what came before 2 is folded" in folded["acts"][0]
    assert main(["board", "compact", "--before", "2", "--yes", "--json"]) == Exit.YES
    again = json.loads(said(capsys)[0])
    assert again["revision"] == 3
    assert "nothing to fold" in again["acts"][0]
    assert main(["board", "compact", "--before", "2", "--yes"]) == Exit.YES
    assert said(capsys)[0] == f"3 {again['acts'][0]}\n"
    assert main(["board", "copy", "copy.db", "--json"]) == Exit.YES
    copied = json.loads(said(capsys)[0])
    with Blackboard.open(place / "copy.db") as board:
        cursor = board.cursor
    assert copied["revision"] == cursor.revision
    assert copied["acts"] == [
        f"copy.db is a board of its own, with the head {cursor.epoch}:{cursor.revision}:{cursor.digest}"
    ]


def test_a_damaged_board_makes_doctor_answer_no(place, capsys):
    with Blackboard.open(place / "board.db") as board, board.store.writer.transaction() as connection:
        connection.raw.execute("UPDATE version SET text = '\"other\"'")
    assert main(["board", "doctor"]) == Exit.NO
    assert one_line(said(capsys)[1])


@pytest.mark.parametrize("arguments", [["status"], ["board", "upgrade"], ["run", ".", "--plain"]])
def test_a_board_of_a_newer_library_is_refused_in_one_line(place, capsys, arguments):
    file(place, "team.py", "from blackboard import Team\ndef team(options): return Team('p', [])\n")
    with Blackboard.open(place / "board.db") as board, board.store.writer.transaction() as connection:
        connection.raw.execute("UPDATE alembic_version SET version_num = '99'")
    assert main(arguments) == Exit.FAILED
    err = said(capsys)[1]
    assert one_line(err)
    assert "use a newer sharedspec" in err


def test_export_writes_the_files_and_says_what_is_left(place, capsys):
    with Blackboard.open(place / "board.db") as board, board.transaction("bob") as transaction:
        transaction.write("server", {"app/server.py": "x = 1\n"})
    assert main(["export", "out"]) == Exit.YES
    assert "the spec has not converged there: stalled" in said(capsys)[0]
    assert (place / "out" / "app" / "server.py").read_text() == "x = 1\n"
    assert main(["export", "old", "--at", "1"]) == Exit.YES
    assert not (place / "old" / "app").exists()


def test_init_makes_a_team_that_asks_for_a_model_and_an_empty_board(tmp_path, capsys):
    folder = tmp_path / "new"
    assert main(["init", str(folder)]) == Exit.YES
    assert sorted(one.name for one in folder.iterdir() if "-" not in one.name) == ["board.db", "team.py"]
    assert main(["init", str(folder)]) == Exit.USAGE
    capsys.readouterr()
    assert main(["run", str(folder)]) == Exit.FAILED
    assert "--model PROVIDER:NAME" in said(capsys)[1]


def test_the_help_names_every_command(capsys):
    for arguments, commands in (((), command.COMMANDS), (("board",), command.BOARD_COMMANDS)):
        assert main([*arguments, "--help"]) == Exit.YES
        shown = said(capsys)[0]
        assert all(f"  {one.__name__} " in shown for one in commands)


@pytest.mark.usefixtures("place")
def test_what_nobody_foresaw_is_no_plain_no(capsys, monkeypatch):
    def broken(*_):
        raise ZeroDivisionError("\x1b[31m")

    monkeypatch.setattr("blackboard.cli.look.report.status", broken)
    assert main(["status"]) == Exit.FAILED
    assert r"ZeroDivisionError: \x1b[31m" in said(capsys)[1]
