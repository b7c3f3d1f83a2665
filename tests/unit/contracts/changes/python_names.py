"""Changes of the names of classes: a class whose old name stays as a second name is the same class."""

from changes.row import PythonRow as Row

OLD = "class Old:\n    size: int\n    def __init__(self, size: int = 0) -> None: ...\n    def copy(self) -> Old: ...\n"
NEW = OLD.replace("Old", "New")
MAKES = "def make(like: list[{0}] = ...) -> {0}: ...\n"
USED = "one: Old = make([Old(3)]).copy()\none.size + 1\ndef f(o: Old) -> list[Old]: return [o, make()]\n"
BEFORE, AFTER = OLD + MAKES.format("Old"), NEW + MAKES.format("New")
COLOR = "class {}(Enum):\n    RED = 1\ndef paint(c: {}) -> Literal[{}.RED]: ...\n"
TWO = "class {}:\n    size: int\nclass {}:\n    size: int\n"


def _renamed(name, alias, before=USED, *, old=BEFORE, new=AFTER):
    """Make a row of a class that is renamed and keeps its old name."""
    return Row(name, old, f"{new}{alias}\n", "compatible", "breaking", before, "New()" if before is USED else "New")


ROWS = (
    _renamed("a class is renamed and keeps its name", "Old = New"),
    _renamed("a class is renamed and keeps its name as a TypeAlias", "Old: TypeAlias = New"),
    _renamed("a class is renamed twice and keeps its names", "Mid = New\nOld = Mid"),
    _renamed("a class gets a second name", "New = Old", new=OLD + MAKES.format("New")),
    _renamed("a class gets a second name by TypeAlias", "New: TypeAlias = Old", new=OLD + MAKES.format("New")),
    _renamed(
        "an enum is renamed and keeps its name",
        "Old = New",
        "x: Literal[Old.RED] = paint(Old.RED)",
        old=COLOR.format("Old", "Old", "Old"),
        new=COLOR.format("New", "New", "New"),
    ),
    _renamed(
        "a base is renamed and keeps its name",
        "Old = New",
        "x: Old = Sub()\nx.copy().size",
        old=f"{OLD}class Sub(Old): ...\n",
        new=f"{NEW}class Sub(New): ...\n",
    ),
    _renamed(
        "a Protocol is renamed and keeps its name",
        "Old = New",
        "class Own:\n    def m(self) -> int: return 1\ntake(Own())\nx: Old = Own()",
        old="class Old(Protocol):\n    def m(self) -> int: ...\ndef take(o: Old) -> None: ...\n",
        new="class New(Protocol):\n    def m(self) -> int: ...\ndef take(o: New) -> None: ...\n",
    ),
    Row(
        "the two names of a class change places",
        f"{OLD}{MAKES.format('New')}New = Old",
        f"{NEW}{MAKES.format('Old')}Old = New",
        "none|compatible",
        "none|compatible",
        f"{USED}two: New = one",
    ),
    Row(
        "the two names of a class are two classes",
        "class New:\n    size: int\nOld = New",
        TWO.format("Old", "New"),
        "breaking",
        "compatible",
        "x: Old = New()",
        "Old()",
    ),
    Row(
        "two classes are one",
        TWO.format("Old", "New"),
        "class Old:\n    size: int\nNew = Old",
        "compatible",
        "breaking",
        "Old().size + New().size",
        "x: Old = New()",
    ),
    Row(
        "a renamed class that keeps its name loses a member",
        OLD,
        NEW.replace("    size: int\n", "") + "Old = New",
        "breaking",
        "breaking",
        "Old().size",
        "New()",
    ),
    Row(
        "what a renamed class is taken for changes too",
        f"{OLD}{MAKES.format('Old')}",
        f"{NEW}def make(like: list[New]) -> New | None: ...\nOld = New",
        "breaking",
        "breaking",
        USED,
        "make([New()]) is None",
    ),
    Row(
        "a second name of a class is gone",
        f"{OLD}New = Old",
        OLD,
        "breaking",
        "compatible",
        "New().size",
        "Old().size",
    ),
)
