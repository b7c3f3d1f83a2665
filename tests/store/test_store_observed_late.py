"""What an import means does not depend on who was written first, nor on what was committed between plan and turn."""

import pytest
from examinations import examine

from blackboard import Blackboard, Conflict, Contract, Team, external, on, transaction
from blackboard.choreography import Choreography, Role, may
from blackboard.plan import plan
from blackboard.store.statements import Statement
from blackboard.store.surroundings import Level
from blackboard.testing import open_memory

STUB = """
class Store:
    def find(self, id: int) -> str: ...
    def drop(self) -> None: ...
def connect() -> Store: ...
"""
CODE = STUB.replace(" -> Store", "")
USER = "import lib\nlib.connect().find(3)\n"
PENDING = Statement("SELECT source, target FROM agenda WHERE state = 'pending' AND source = 'kim'")
FOUND = {("Store", True), ("Store.find", True), ("connect", True)}


@pytest.fixture
def board():
    with open_memory() as board:
        decide(board, STUB)
        yield board


def decide(board, text, key="api/lib", by="ann"):
    with board.transaction(by, role="operator") as change:
        change.decision(key)
        change.decide(key, text if isinstance(text, Contract) else Contract.python(text))


def begin(board, component, files, *, by="ann", implements=(), base=None):
    started = board.transaction(by, role="operator")
    started.component(component)
    started.write(component, files, implements=implements)
    return started


def provide(board, text=CODE, *, by="bob"):
    begin(board, "lib", {"lib.py": text}, by=by, implements=["api/lib"]).commit()


def use(board, text=USER):
    begin(board, "use", {"use.py": text}).commit()


def break_find(board):
    decide(board, STUB.replace("id: int", "id: str"))


def pins(board):
    return {(pin.name, pin.observed) for pin in board.snapshot().component("use").pins}


def state(board):
    return board.snapshot().component("use").state


def test_a_consumer_that_was_written_first_is_pinned_when_its_provider_comes(board):
    use(board)
    assert pins(board) == set()
    provide(board)
    assert pins(board) == FOUND
    assert (state(board), board.snapshot().component("use").author) == ("current", "ann")
    decide(board, STUB.replace("def drop(self)", "def drop(self, hard: bool)"))
    assert state(board) == "current"
    break_find(board)
    assert state(board) == "stale"


def test_what_broke_between_the_consumer_and_its_provider_makes_stale(board):
    use(board)
    break_find(board)
    provide(board)
    assert state(board) == "stale"
    use(board, USER.replace("3", "'3'"))
    assert (pins(board), state(board)) == (FOUND, "current")


def test_a_provider_that_holds_more_later_is_looked_at_again(board):
    provide(board, "class Store: ...\n")
    use(board)
    assert pins(board) == set()
    provide(board)
    assert pins(board) == FOUND


def test_a_provider_that_offers_no_more_than_before_leaves_others_as_they_are(board):
    use(board)
    provide(board)
    before = board.snapshot().component("use").version
    provide(board, CODE + "# the same\n")
    assert board.snapshot().component("use").version == before


def test_documents_and_tables_are_found_by_whoever_came_first(board):
    use(board, "import json\njson.load(open('conf.json'))['ttl']\nq = 'SELECT text FROM note'\n")
    decide(board, Contract.json_schema({"type": "object", "properties": {"ttl": {}}}), "conf/app")
    decide(board, Contract("sql", "create table note (id integer, text text);"), "db/schema")
    files = {"conf.json": "{}", "schema.sql": "create table note (id integer, text text);"}
    begin(board, "base", files, implements=["conf/app", "db/schema"]).commit()
    assert pins(board) == {("ttl", True), ("note.text", True)}


def schema(**properties):
    return Contract.json_schema({"type": "object", "properties": properties})


def test_what_is_agreed_later_and_its_provider_holds_already_is_relied_on_once_that_is_checked(board):
    decide(board, schema(ttl={"type": "integer"}), "conf/app")
    begin(board, "base", {"conf.json": '{"ttl": 1, "size": 2}'}, implements=["conf/app"]).commit()
    use(board, "import json\nconf = json.load(open('conf.json'))\nprint(conf['ttl'], conf['size'])\n")
    assert pins(board) == {("ttl", True)}
    decide(board, schema(ttl={"type": "integer"}, size={"type": "integer"}), "conf/app")
    assert board.snapshot().component("base").state == "suspect"
    assert pins(board) == {("ttl", True)}
    with board.transaction("tess") as change:
        change.verdict("conformance", "base", passed=True)
    assert pins(board) == {("ttl", True), ("size", True)}
    assert (state(board), board.snapshot().component("use").author) == ("current", "ann")
    decide(board, schema(ttl={"type": "integer"}, size={"type": "string"}), "conf/app")
    assert state(board) == "stale"
    board.verify()


def test_what_is_agreed_later_and_its_provider_has_to_make_is_relied_on_once_it_is_made(board):
    provide(board)
    use(board, USER + "lib.connect().count()\n")
    decide(board, STUB.replace("def connect", "    def count(self) -> int: ...\ndef connect"))
    assert board.snapshot().component("lib").state == "stale"
    assert pins(board) == FOUND
    provide(board, CODE.replace("def connect", "    def count(self) -> int: ...\ndef connect"))
    assert pins(board) == {*FOUND, ("Store.count", True)}


def test_a_provider_that_came_after_the_snapshot_is_seen(board):
    started = begin(board, "use", {"use.py": USER})
    provide(board)
    started.commit()
    assert pins(board) == FOUND


def test_what_changed_after_the_snapshot_is_a_conflict_though_its_provider_came_after_it(board):
    started = begin(board, "use", {"use.py": USER})
    provide(board)
    break_find(board)
    with pytest.raises(Conflict) as refused:
        started.commit()
    assert [(one.key, one.facet) for one in refused.value.premises] == [("api/lib", "Store.find")]


@pytest.mark.parametrize("provider_is_late", [True, False])
def test_neither_misses_the_other_where_both_are_planned_at_once(location, monkeypatch, provider_is_late):
    with Blackboard.open(location, create=True) as board:
        decide(board, STUB)
        rivals = [use if provider_is_late else provide]

        def overtaken(facts, intent):
            found = plan(facts, intent)
            if rivals:
                rivals.pop()(board)
            return found

        monkeypatch.setattr(transaction, "plan", overtaken)
        (provide if provider_is_late else use)(board)
        assert rivals == []
        assert pins(board) == FOUND
        break_find(board)
        assert state(board) == "stale"


def test_a_consumer_that_lists_and_was_stale_does_not_become_current_by_it(board):
    with board.transaction("ann", role="operator") as change:
        change.decisions("free/*")
        change.write("use", {"use.py": USER})
    decide(board, Contract.value(1), "free/a")
    assert state(board) == "stale"
    provide(board)
    assert state(board) == "stale"


def refusing():
    architect, builder = Role("architect", reliable=True), Role("builder", reliable=True)
    members = [
        external("art", role="architect", on=on.asked("**")),
        external("kim", role="builder", on=on.stale("use")),
        external("bob", role="builder", on=on.written("none")),
    ]
    choreography = Choreography("m", may(architect, "decide", "**"), may(builder, "write", "*"))
    return Team("t", members, choreography=choreography, undeclared_use="refuse")


def pending(board):
    with board.store.database.reading() as connection:
        return [tuple(row) for row in connection.all(PENDING)]


def test_where_unread_use_is_refused_who_was_first_has_to_read_it_once_it_stands(board):
    board.install(refusing())
    begun = board.transaction("kim")
    begun.write("use", {"use.py": USER})
    begun.commit()
    assert state(board) == "current"
    begun = board.transaction("bob")
    begun.write("lib", {"lib.py": CODE}, implements=["api/lib"])
    begun.commit()
    assert (pins(board), state(board)) == (FOUND, "stale")
    assert pending(board) == [("kim", "use")]
    begun = board.transaction("kim")
    begun.component("use")
    begun.decision("api/lib", facets=["Store", "Store.find", "connect"])
    begun.write("use", {})
    begun.commit()
    assert (state(board), pending(board)) == ("current", [])


def test_a_history_with_consumers_that_were_first_is_whole(location):
    with Blackboard.open(location, create=True) as board:
        decide(board, STUB)
        use(board)
        break_find(board)
        provide(board)
        board.verify()
        head = board.cursor
    found = examine(location, full=True, known_head=head)
    assert found.level(Level.FAULT, Level.UNSEEN) == ()
