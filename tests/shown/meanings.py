"""The sentences that the model understands, each with the code that does what it says and a call that shows it.

In the code `$first` and `$second` are the parameters of the function that the sentence is about, `$result` is the class
that it returns, and any other `$name` is the function or class of a contract that is `called` so here. In an example
`$it` is the function, of a method `$owner` the class and `$name` the name; `run` starts the program with the arguments
of each call and gives status and output of the last.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a sentence means to the model.

    Attributes:
        code: rank -> lines; in a body those of lower rank come first.
        example: A call and what it gives.
        called: How other sentences call the function that does this.
    """

    code: Mapping[int, str] = field(default_factory=dict)
    example: tuple[str, str] | None = None
    called: str = ""


_WORDS = {
    "Return each word of a text with how often it occurs.": Meaning(
        {
            0: "result = $first.split()",
            3: "result = list(Counter(result).items())",
            9: "return result",
        },
        ('$it("b")', '[("b", 1)]'),
        called="counted",
    ),
    "A word is a maximal run of letters.": Meaning(
        {1: 'result = re.findall(r"[^\\W\\d_]+", $first)'}, ('$it("a2a, a!")', '[("a", 3)]')
    ),
    "A word is a maximal run of letters and digits.": Meaning(
        {1: 'result = re.findall(r"[^\\W_]+", $first)'}, ('$it("a2, a2!")', '[("a2", 2)]')
    ),
    'How are words compared? "lower case"': Meaning(
        {2: "result = [word.lower() for word in result]"}, ('$it("A a")', '[("a", 2)]')
    ),
    "Words of the same count are in alphabetical order.": Meaning(
        {4: "result.sort()"}, ('$it("b a")', '[("a", 1), ("b", 1)]')
    ),
    "The most frequent word comes first.": Meaning(
        {5: "result.sort(key=lambda pair: -pair[1])"}, ('$it("a b b")', '[("b", 2), ("a", 1)]')
    ),
    "It prints the words of the file that its argument names, one `word count` per line.": Meaning(
        {1: 'for word, number in $counted(Path(arguments[0]).read_text("utf-8")):\n    print(word, number)'},
        ('run(["text.txt"], files={"text.txt": "b a b"})', '(0, "b 2\\na 1\\n")'),
    ),
    "A file that is not there is an error with status 1.": Meaning(
        {0: 'if not Path(arguments[0]).is_file():\n    sys.exit(f"there is no file {arguments[0]}")'},
        ('run(["absent.txt"])', '(1, "")'),
    ),
}

_ENTRIES = {
    "Append an entry that is not done, and return it.": Meaning(
        {0: "number = len($first)", 2: "$first.append($result(number, $second))", 9: "return $first[-1]"},
        ('$it([], "tea").done', "False"),
        called="added",
    ),
    "Numbers begin at 1.": Meaning({1: "number += 1"}, ('$it([], "tea").number', "1")),
    "Mark the entry that has a number as done.": Meaning(
        {
            0: "for entry in $first:\n    if entry.number == $second:\n        entry.done = True\n        return",
        },
        called="finished",
    ),
    "KeyError: No entry has the number.": Meaning({1: "raise KeyError($second)"}),
    "Return the entries that a file holds.": Meaning(
        {1: 'return [$result(**one) for one in json.loads(Path($first).read_text("utf-8"))]'}, called="loaded"
    ),
    "A file that is not there holds none.": Meaning(
        {0: "if not Path($first).exists():\n    return []"}, ('$it("absent.json")', "[]")
    ),
    "Write entries into a file, as a JSON list of objects.": Meaning(
        {0: 'Path($first).write_text(json.dumps([vars(one) for one in $second]), "utf-8")'},
        ('$it("empty.json", [])', "None"),
        called="saved",
    ),
    "The entries are kept in `todo.json` in the current folder.": Meaning(
        {0: 'entries = $loaded("todo.json")', 9: '$saved("todo.json", entries)'}
    ),
    "`add TEXT` adds an entry.": Meaning({1: 'if arguments[0] == "add":\n    $added(entries, arguments[1])'}),
    "`done NUMBER` marks one as done; a number that nothing has is an error with status 1.": Meaning(
        {
            1: 'if arguments[0] == "done":\n    try:\n        $finished(entries, int(arguments[1]))\n'
            '    except KeyError:\n        sys.exit("there is no entry " + arguments[1])'
        },
        ('run(["done", "7"])', '(1, "")'),
    ),
    "`list` prints `NUMBER [ ] TEXT` for each, with `[x]` for what is done.": Meaning(
        {
            1: 'if arguments[0] == "list":\n    for entry in entries:\n'
            '        print(entry.number, "[x]" if entry.done else "[ ]", entry.text)'
        },
        ('run(["add", "tea"], ["done", "1"], ["list"])', '(0, "1 [x] tea\\n")'),
    ),
}

_RECIPES = {
    "A dish, and how long it takes.": Meaning(called="dish"),
    "Read the recipes of a JSON file.": Meaning(
        {
            0: "self.path = Path($first)\nself.recipes = []",
            2: 'for one in json.loads(self.path.read_text("utf-8")):\n    self.recipes.append($dish(**one))',
        },
        called="opened",
    ),
    "A file that is not there has none.": Meaning(
        {1: "if not self.path.exists():\n    return"}, ('$owner("absent.json").recipes', "[]")
    ),
    "Keep a recipe in the file; one of the same name is replaced.": Meaning(
        {
            0: "self.recipes = [one for one in self.recipes if one.name != $first.name] + [$first]",
            1: 'self.path.write_text(json.dumps([vars(one) for one in self.recipes]), "utf-8")',
        },
        called="kept",
    ),
    "Return the recipes whose names contain a text, in upper or lower case.": Meaning(
        {0: "found = [one for one in self.recipes if $first.lower() in one.name.lower()]", 9: "return found"},
        ('$owner("absent.json").$name("a")', "[]"),
        called="found",
    ),
    "They are in the order of their names.": Meaning({1: "found.sort(key=lambda one: one.name)"}),
    "Return a recipe as `NAME (TIME)`.": Meaning(
        {0: "time = $first.minutes", 9: 'return f"{$first.name} ({time})"'}, called="shown"
    ),
    'How are times shown? "hours and minutes"': Meaning(
        {1: 'time = f"{$first.minutes // 60}:{$first.minutes % 60:02}"'},
        ('$it($dish("Tea", 90))', '"Tea (1:30)"'),
    ),
    "The recipes are in `recipes.json` in the current folder.": Meaning({0: 'book = $opened("recipes.json")'}),
    "`add NAME MINUTES` keeps a recipe.": Meaning(
        {1: 'if arguments[0] == "add":\n    book.$kept($dish(arguments[1], int(arguments[2])))'}
    ),
    "`find TEXT` prints the recipes whose names contain the text, one per line.": Meaning(
        {1: 'if arguments[0] == "find":\n    for one in book.$found(arguments[1]):\n        print($shown(one))'},
        ('run(["add", "Tea", "90"], ["find", "te"])', '(0, "Tea (1:30)\\n")'),
    ),
}

MEANINGS: Mapping[str, Meaning] = {**_WORDS, **_ENTRIES, **_RECIPES}


def understood(text: str) -> Iterator[Meaning]:
    """Yield the meaning of each known sentence in a text, whatever its layout."""
    said = " ".join(text.split())
    return (meaning for sentence, meaning in MEANINGS.items() if sentence in said)


def names_in(code: str) -> set[str]:
    """Return the names that a piece of code mentions as `$name`."""
    return set(re.findall(r"\$(\w+)", code))
