"""A board has one name: under a second one, a hard link or a mounted file, commits would be written to a second log."""

import contextlib
import subprocess
import sys
import textwrap

import pytest
from tools import lacking, require_tool

from blackboard import Blackboard, Unavailable
from blackboard.store import surroundings
from blackboard.store.backup import new_file
from blackboard.store.line import SUFFIX
from blackboard.store.surroundings import Level


@pytest.fixture(params=[True, False], ids=["create", "open"])
def opening(request):
    return lambda path: Blackboard.open(path, create=request.param)


@pytest.fixture
def settled(location, given):
    with Blackboard.open(location, create=True) as board:
        given(board).decided("api/ids", "int")
    return location


def test_a_board_with_a_hard_link_is_refused_under_both_names(settled, opening, given):
    link = settled.with_name("link.db")
    link.hardlink_to(settled)
    before = settled.read_bytes()
    for name in (settled, link):
        with pytest.raises(Unavailable, match="remove the other") as refused:
            opening(name)
        assert refused.value.location == str(name)
    assert sorted(one.name for one in settled.parent.iterdir()) == sorted(
        [settled.name, link.name, settled.name + SUFFIX]
    )
    assert settled.read_bytes() == before
    link.unlink()
    with opening(settled) as board:
        assert given(board).decided("api/page", 20).revision == 2


def test_a_link_that_is_made_while_a_board_is_open_loses_nothing(settled, given):
    with Blackboard.open(settled) as board:
        given(board).decided("api/page", 20)
        settled.with_name("link.db").hardlink_to(settled)
        with pytest.raises(Unavailable):
            Blackboard.open(settled.with_name("link.db"))
        assert given(board).decided("api/names", "text").revision == 3
        board.verify()
    settled.with_name("link.db").unlink()
    with Blackboard.open(settled) as board:
        assert board.verify().revision == 3


def test_an_empty_file_with_a_hard_link_is_made_no_board(tmp_path):
    (tmp_path / "one.db").touch()
    (tmp_path / "two.db").hardlink_to(tmp_path / "one.db")
    with pytest.raises(Unavailable, match="remove the other"):
        Blackboard.open(tmp_path / "two.db", create=True)
    assert (tmp_path / "one.db").read_bytes() == b""


MOUNTED = textwrap.dedent("""
    import sys
    from blackboard import Blackboard, Unavailable
    for create in (False, True):
        for path in sys.argv[1:]:
            try:
                Blackboard.open(path, create=create).close()
            except Unavailable as error:
                print(error)
            else:
                print("opened")
""")


def test_a_file_that_is_mounted_by_itself_is_refused_and_a_mounted_folder_is_not(tmp_path, settled):
    """As containers do it."""
    unshare = require_tool("unshare")
    inside = tmp_path / "in side"
    inside.mkdir()
    (inside / "board.db").touch()
    (inside / "link.db").symlink_to("board.db")
    (inside / "folder").mkdir()
    script = 'mount --bind "$1" "$2/board.db" && mount --bind "${1%/*}" "$2/folder" && exec "$3" -c "$4" "$2/board.db" '
    script += '"$2/link.db" "$2/folder/${1##*/}"'
    words = ["sh", "-c", script, "sh", settled, inside, sys.executable, MOUNTED]
    ran = subprocess.run([unshare, "--mount", *words], capture_output=True, text=True, check=False, timeout=60)
    if "not permitted" in ran.stderr or "denied" in ran.stderr:
        lacking("unshare", f"may not mount here ({ran.stderr.strip()})")
    assert ran.stderr == ""
    said = ran.stdout.splitlines()
    assert len(said) == 6
    for refused in (said[0], said[1], said[3], said[4]):
        assert "mount the folder" in refused
    assert (said[2], said[5]) == ("opened", "opened")


def test_a_mounted_file_is_known_by_its_name_as_the_system_writes_it(tmp_path):
    mounts = tmp_path / "mounts"
    mounts.write_text(
        "/dev/vda / ext4 rw 0 0\n/dev/vda /a\\040b/c\\134d\\012.db ext4 rw 0 0\n/dev/vda /data ext4 rw 0 0\n"
    )
    assert surroundings.is_mounted(tmp_path.joinpath("/a b/c\\d\n.db"), mounts)
    assert not surroundings.is_mounted(tmp_path.joinpath("/data/board.db"), mounts)
    assert not surroundings.is_mounted(tmp_path.joinpath("/data/board.db"), tmp_path / "none")


def test_the_doctor_says_that_another_name_keeps_a_board_from_being_opened(settled, tmp_path):
    settled.with_name("other.db").hardlink_to(settled)
    (found,) = [one for one in surroundings.permissions(settled) if one.level is Level.FAULT]
    assert "2 names" in found.what
    mounts = tmp_path / "mounts"
    mounts.write_text(f"/dev/vda / ext4 rw 0 0\n/dev/vda {settled} ext4 rw 0 0\n")
    (found,) = [one for one in surroundings.file_system(settled, mounts) if one.level is Level.FAULT]
    assert "folder" in found.step


def test_behind_a_symbolic_link_the_log_and_the_line_are_those_of_the_file(settled, tmp_path, given):
    (tmp_path / "else").mkdir()
    link = tmp_path / "else" / "link.db"
    link.symlink_to(settled)
    with Blackboard.open(link) as linked, Blackboard.open(settled) as board:
        for number in range(5):
            given(linked).decided(f"linked/k{number}", number)
            given(board).decided(f"board/k{number}", number)
        assert [one.name for one in (tmp_path / "else").iterdir()] == ["link.db"]
        assert settled.with_name(settled.name + SUFFIX).exists()
        assert linked.cursor == board.cursor
    with Blackboard.open(settled) as board:
        assert board.verify().revision == 11


# --- a board in the making has two names for a moment ----------------------------------------------------------------


def test_the_name_that_a_board_had_in_the_making_is_no_second_name(settled):
    """Whoever makes a board links the finished file to its name, and removes the first name then, unless it dies."""
    with contextlib.suppress(InterruptedError), new_file(settled.with_name("new.db")) as part:
        made = part.name
        raise InterruptedError
    settled.with_name(made).hardlink_to(settled)
    with Blackboard.open(settled) as board:
        assert board.revision == 1
    settled.with_name("link.db").hardlink_to(settled)
    with pytest.raises(Unavailable, match="2 names"):
        Blackboard.open(settled)


def test_a_board_that_is_made_at_this_moment_is_opened(settled, monkeypatch):
    """The maker removes the first name between two looks at the file."""
    left = settled.with_name(".bb-0123456789ab.part")
    look = surroundings.made_names
    for late in (False, True):
        left.hardlink_to(settled)

        def meanwhile(path, *, late=late):
            if not late:
                left.unlink()
            found = look(path)
            left.unlink(missing_ok=True)
            return found

        monkeypatch.setattr(surroundings, "made_names", meanwhile)
        Blackboard.open(settled).close()
