"""What is called done and is not: recognised where it is certain, left alone where it may be meant."""

import pytest

from knowledge_sources.wholeness import unfinished


@pytest.mark.parametrize(
    "text",
    [
        "def f():\n    ...\n",
        'def f():\n    """Do it."""\n    ...\n',
        "def f() -> int:\n    pass\n",
        "async def f():\n    raise NotImplementedError\n",
        "class A:\n    def f(self):\n        raise NotImplementedError('later')\n",
        "if True:\n    def f():\n        ...\n",
        "x = 1\n# ... rest of the code unchanged\n",
        "x = 1\n# rest of the implementation here\n",
        "x = 1\n# The rest of the file remains unchanged.\n",
        "def f(x):\n    # TODO: implement\n    return x\n",
        "def f(x):\n    return (x\n",
        "x = 'half",
        "\n\n",
    ],
)
def test_a_stub_is_recognised(text):
    assert unfinished({"a.py": text})


@pytest.mark.parametrize(
    "text",
    [
        "def f():\n    pass\n",
        "def f() -> None:\n    pass\n",
        'def f():\n    """Do nothing on purpose."""\n',
        "from typing import Protocol\nclass P(Protocol):\n    def f(self) -> int: ...\n",
        "from abc import ABC, abstractmethod\nclass P:\n    @abstractmethod\n    def f(self) -> int: ...\n",
        "from typing import overload\n@overload\ndef f(x: int) -> int: ...\ndef f(x):\n    return x\n",
        "class A:\n    def f(self):\n        raise NotImplementedError\nclass B(A):\n    f = int\n",
        "class Missing(Exception): ...\n",
        "head, body = text\n# The rest of the file is the body.\n",
        "x = 1  # the rest of the world\n# Rest of the day: seconds until midnight.\n",
        "def f(kind):\n    if kind:\n        raise NotImplementedError\n    return 1\n",
    ],
)
def test_what_may_be_meant_is_left_alone(text):
    assert unfinished({"a.py": text}) is None


def test_a_class_may_be_completed_in_another_file():
    base = "class Base:\n    def f(self):\n        raise NotImplementedError\n"
    assert unfinished({"base.py": base})
    assert unfinished({"base.py": base, "own.py": "import base\nclass Own(base.Base):\n    f = int\n"}) is None


def test_other_files_are_read_as_text():
    assert unfinished({"a.sql": "-- ... rest of the schema\n"})
    assert unfinished({"a.pyi": "def f() -> int: ...\n", "pkg/__init__.py": ""}) is None
