"""What code relies on and nobody read is pinned too: it is validated, makes stale, is told, and may be refused."""

import io
import json

import pytest
from rich.console import Console

from blackboard import Blackboard, Conflict, Contract, NotPermitted, Team
from blackboard.cli.records import to_json
from blackboard.cli.render import render
from blackboard.cli.report import component
from blackboard.cli.why import why
from blackboard.errors import InvalidTeam
from blackboard.testing import open_memory

STUB = """
class Store:
    def get(self, key: int) -> str: ...
    def close(self) -> None: ...
def open_store(path: str) -> Store: ...
def unused() -> None: ...
"""
CODE = STUB.replace(" -> Store", "")
USER = "from storage import open_store\n\nwith_store = open_store('x')\nwith_store.close()\n"


@pytest.fixture
def board():
    with open_memory() as board:
        arrange(board)
        yield board


def arrange(board: Blackboard) -> None:
    with board.transaction("ann", role="operator") as transaction:
        transaction.decide("code/storage", Contract.python(STUB))
        transaction.decide("db/schema", Contract("sql", "create table note (id integer, text text, kind text);"))
        transaction.decide("conf/app", Contract.json_schema({"type": "object", "properties": {"ttl": {}, "name": {}}}))
    with board.transaction("ann", role="operator") as transaction:
        transaction.write("storage", {"storage.py": CODE, "conf.json": "{}"}, implements=["code/storage", "conf/app"])


def write(board, text=USER, *, component="web", facets=()):
    with board.transaction("ann", role="operator") as transaction:
        transaction.component(component)
        if facets:
            transaction.decision("code/storage", facets=facets)
        transaction.write(component, {f"{component}.py": text})


def amend(board, old, new):
    with board.transaction("ann", role="operator") as transaction:
        stub = transaction.decision("code/storage").contract.text
        transaction.decide("code/storage", Contract.python(stub.replace(old, new)))


def pins(board, component="web"):
    return {(pin.name, pin.observed) for pin in board.snapshot().component(component).pins}


def test_what_the_code_relies_on_is_pinned_beside_what_was_read(board):
    write(board, facets=["open_store"])
    assert pins(board) == {("open_store", False), ("Store", False), ("Store.close", True)}
    write(board, facets=["open_store", "Store.close", "unused"])
    assert pins(board) == {(name, False) for name in ("open_store", "Store", "Store.close", "unused")}


def test_a_component_goes_stale_when_something_changes_that_was_used_and_never_read(board):
    write(board)
    assert pins(board) == {("open_store", True), ("Store", True), ("Store.close", True)}
    amend(board, "def get(self, key: int)", "def get(self, key: str)")
    assert board.snapshot().component("web").state == "current"
    amend(board, "def close(self) -> None", "def close(self, hard: bool) -> None")
    assert board.snapshot().component("web").state == "stale"


def test_what_was_observed_is_validated_like_what_was_read(board):
    transaction = board.transaction("bob", role="operator")
    transaction.write("web", {"web.py": USER})
    amend(board, "def close(self)", "def close(self, hard: bool)")
    with pytest.raises(Conflict) as refused:
        transaction.commit()
    assert [(one.key, one.facet) for one in refused.value.premises] == [("code/storage", "Store.close")]


def test_a_change_of_what_is_not_used_disturbs_nobody(board):
    transaction = board.transaction("bob", role="operator")
    transaction.write("web", {"web.py": USER})
    amend(board, "def get(self, key: int)", "def get(self, key: str)")
    transaction.commit()
    assert board.snapshot().component("web").state == "current"


def test_columns_and_documents_are_observed_too(board):
    write(board, "import json\nq = 'SELECT text FROM note'\nprint(json.load(open('conf.json'))['ttl'])\n")
    found = {(pin.key, pin.name) for pin in board.snapshot().component("web").pins}
    assert found == {("db/schema", "note.text"), ("conf/app", "ttl")}


def test_what_is_ones_own_is_not_observed(board):
    assert pins(board, "storage").isdisjoint({("open_store", True), ("Store.close", True)})
    with board.transaction("ann", role="operator") as transaction:
        transaction.component("storage")
        transaction.decision("db/schema", side="implements")
        transaction.write("storage", {"storage.py": CODE + "q = 'SELECT id FROM note'\n"})
    assert not any(pin.observed for pin in board.snapshot().component("storage").pins)


def test_who_amends_what_the_code_relies_on_is_not_pinned_to_what_stood_before(board):
    with board.transaction("ann", role="operator") as transaction:
        stub = transaction.decision("code/storage").contract.text
        transaction.decide("code/storage", Contract.python(stub + "def more() -> None: ...\n"))
        transaction.write("web", {"web.py": USER})
    assert pins(board) == set()


def test_the_same_wish_on_a_newer_base_is_the_same_whatever_is_observed(board):
    first = board.transaction("ann", role="operator", idempotency_key="one")
    first.write("web", {"web.py": USER})
    done = first.commit()
    with board.transaction("ann", role="operator") as transaction:
        transaction.decision("code/storage")
        transaction.retract("code/storage", reason="x")
    again = board.transaction("ann", role="operator", idempotency_key="one")
    again.write("web", {"web.py": USER})
    assert again.commit().revision == done.revision


def test_why_tells_nothing_of_what_code_could_not_show(board):
    with board.transaction("ann", role="operator") as transaction:
        transaction.decide("api/list", Contract.value({"shape": "page"}))
    with board.transaction("ann", role="operator") as transaction:
        transaction.component("storage")
        transaction.write("storage", {}, implements=["code/storage", "conf/app", "api/list"])
    with board.transaction("ann", role="operator") as transaction:
        transaction.write("web", {"web.py": USER}, uses=["api/list", "conf/app"])
    assert why(board, "web").unused == ()


def test_why_tells_what_was_used_unread_and_what_was_read_and_not_used(board):
    write(board, facets=["open_store", "unused"])
    report = why(board, "web")
    assert [(one.key, one.facets) for one in report.unread] == [("code/storage", ("Store.close",))]
    assert [(one.key, one.facets) for one in report.unused] == [("code/storage", ("unused",))]
    console = Console(width=100, record=True, file=io.StringIO())
    console.print(render(report))
    told = console.export_text()
    assert "relies unread on code/storage: Store.close" in told
    assert "does not use code/storage: unused" in told


def test_the_pins_of_a_component_say_which_of_them_are_observed(board):
    write(board, facets=["open_store"])
    shown = component(board, "web")
    assert [(pin.facets, pin.observed) for pin in shown.pins] == [
        (("Store", "Store.close", "open_store"), ("Store.close",))
    ]
    assert json.loads(to_json(shown))["pins"][0]["observed"] == ["Store.close"]


def test_a_team_may_refuse_what_was_not_read(board):
    board.install(Team("x", [], undeclared_use="refuse"))
    with pytest.raises(NotPermitted) as refused:
        write(board, facets=["open_store"])
    assert "code/storage (Store.close)" in refused.value.attempted
    assert refused.value.permitted_now == ("read code/storage and write web",)
    write(board, facets=["open_store", "Store.close"])
    assert pins(board) == {("open_store", False), ("Store", False), ("Store.close", False)}
    with pytest.raises(InvalidTeam):
        Team("x", [], undeclared_use="sometimes")


def test_a_board_with_observed_pins_is_whole(location):
    with Blackboard.open(location, create=True) as board:
        arrange(board)
        write(board)
        report = board.verify()
    assert report is not None
