"""The language `task`: the decisions that a component implements and uses, its checks, files and entry point.

    {"summary": "store notes", "implements": {"api/storage": []}, "uses": {"db/notes": ["note.id"]},
     "checks": ["unit"], "files": ["storage.py"], "command": ["python", "-m", "storage"], "probe": ["--version"]}

`implements` and `uses` map keys or patterns to facets; no facets means the whole decision, and a list of keys means
each of them as a whole. `command` is the entry point of the component, without a shell; with the arguments `probe` it
has to end with status 0 (`--help` if there are none). The text may be JSON or TOML and is stored as canonical JSON.
Only `command` and `probe` have an order.
"""

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from blackboard.contracts.facets import MAX_FACET_NAME_BYTES, Reading, undecided
from blackboard.contracts.plain import laid_out, read_json
from blackboard.errors import InvalidContract, InvalidKey
from blackboard.spec.canonical import JSON, NotCanonical, canonical_json, check_text
from blackboard.spec.effects import Comparison
from blackboard.spec.keys import check_name, check_pattern, is_reserved

FIELDS = ("summary", "implements", "uses", "checks", "files", "command", "probe")

DEFAULT_PROBE = ("--help",)
"""What an entry point is started with where its task states no probe."""

MAX_PATH_BYTES = 512

_NAME = "task"
_SHOWN = 80
_MAX_TOML_BYTES = 65_536
_MAX_KEY_PARTS = 16
_TOML_POSITION = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
# Why counted: the reader of TOML needs quadratic time for one key of very many parts.
_TOML_LONG_KEY = re.compile(
    rf"""(?<![A-Za-z0-9_-])(?:(?:[A-Za-z0-9_-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){{{_MAX_KEY_PARTS}}}"""
)
_UNFIT_IN_PATH = re.compile(r"[\x00-\x1f\x7f\\:]")


@dataclass(frozen=True, slots=True)
class TaskBody:
    """A task as read: key or pattern -> facets for both sides, the rest as sorted names."""

    summary: str
    implements: Mapping[str, tuple[str, ...]]
    uses: Mapping[str, tuple[str, ...]]
    checks: tuple[str, ...]
    files: tuple[str, ...]
    command: tuple[str, ...] = ()
    probe: tuple[str, ...] = ()

    @property
    def probed(self) -> tuple[str, ...]:
        """The arguments that show whether the entry point starts; empty where the task makes no entry point."""
        return (*self.command, *(self.probe or DEFAULT_PROBE)) if self.command else ()


class Task:
    """The language `task`."""

    name = _NAME

    def parse(self, text: str) -> TaskBody:
        """Read a task from JSON or TOML.

        Raises:
            InvalidContract: It is neither, has no summary, has an unknown field, or names a reserved key.
        """
        fields = read_json(_NAME, text) if text.lstrip().startswith("{") else _read_toml(text)
        return body_of(fields)

    def kept(self, text: str, body: TaskBody) -> str:  # noqa: ARG002 -- part of the protocol
        """Keep the one canonical text of the task."""
        return canonical_json(self.facets(body))

    def facets(self, body: TaskBody) -> dict[str, JSON]:
        """Return one facet for each field; `command` and `probe` are facets where they are stated."""
        started: dict[str, JSON] = {"command": list(body.command), "probe": list(body.probe)}
        return {
            "summary": body.summary,
            "implements": {key: list(facets) for key, facets in body.implements.items()},
            "uses": {key: list(facets) for key, facets in body.uses.items()},
            "checks": list(body.checks),
            "files": list(body.files),
            **{name: value for name, value in started.items() if value},
        }

    def compare(self, old: Reading[TaskBody], new: Reading[TaskBody]) -> Comparison:
        """Call each changed field breaking."""
        return undecided(old.facets, new.facets)

    def skeleton(self, body: TaskBody) -> str:
        """Return the task, laid out for a reader."""
        return laid_out(self.facets(body))


def body_of(fields: object) -> TaskBody:
    """Read a task from its fields.

    Raises:
        InvalidContract: A field is unknown, missing, of another type, or names a reserved or ill-formed key.
    """
    if not isinstance(fields, Mapping):
        raise InvalidContract(_NAME, f"a task has the fields {', '.join(FIELDS)}; this is a {type(fields).__name__}")
    unknown = sorted(str(name) for name in fields if name not in FIELDS)
    if unknown:
        raise InvalidContract(_NAME, f"no such field: {_quoted(unknown[0])}; the fields are {', '.join(FIELDS)}")
    summary = fields.get("summary", "")
    if not isinstance(summary, str) or not summary.strip():
        raise InvalidContract(_NAME, "a task needs a summary: one sentence that says what is to be made")
    implements, uses, checks, files, command, probe = (fields.get(name, ()) for name in FIELDS[1:])
    if probe and not command:
        raise InvalidContract(_NAME, "probe has arguments and command names no entry point: state the command too")
    return TaskBody(
        summary=summary,
        implements=_sides("implements", implements),
        uses=_sides("uses", uses),
        checks=tuple(sorted({_checked("checks", check_name, name) for name in _strings("checks", checks)})),
        files=tuple(sorted({_path(path) for path in _strings("files", files)})),
        command=_arguments("command", command),
        probe=_arguments("probe", probe),
    )


def _sides(field: str, value: object) -> dict[str, tuple[str, ...]]:
    if not isinstance(value, Mapping):
        return {_key(field, key): () for key in _strings(field, value)}
    return {_key(field, key): _facets(f"{field} {_quoted(key)}", facets) for key, facets in value.items()}


def _facets(where: str, value: object) -> tuple[str, ...]:
    names = sorted(set(_strings(where, value)))
    longest = max((len(name.encode()) for name in names), default=0)
    if "" in names or longest > MAX_FACET_NAME_BYTES:
        raise InvalidContract(_NAME, f"{where} names a facet that is empty or longer than {MAX_FACET_NAME_BYTES} bytes")
    return tuple(names)


def _key(field: str, key: object) -> str:
    if not isinstance(key, str):
        raise InvalidContract(_NAME, f"{field} names {_quoted(key)}, which is no string")
    checked = _checked(field, check_pattern, key)
    if is_reserved(checked):
        raise InvalidContract(_NAME, f"{field} names {checked}, which only install writes: leave it out")
    return checked


def _checked(field: str, check: Callable[[str], str], text: str) -> str:
    try:
        return check(text)
    except InvalidKey as error:
        raise InvalidContract(_NAME, f"{field}: {error}") from None


def _strings(where: str, value: object) -> list[str]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise InvalidContract(_NAME, f"{where} needs a list of names; this is a {type(value).__name__}")
    names = [name for name in value if isinstance(name, str)]
    if len(names) < len(value):
        raise InvalidContract(_NAME, f"{where} names something that is no string")
    try:
        return [check_text(name) for name in names]
    except NotCanonical as error:
        raise InvalidContract(_NAME, f"{where}: {error.why}") from None


def _arguments(field: str, value: object) -> tuple[str, ...]:
    arguments = tuple(_strings(field, value))
    if any("\0" in argument for argument in arguments) or arguments[:1] == ("",):
        raise InvalidContract(_NAME, f"{field} holds a NUL character or begins with an empty argument: leave it out")
    return arguments


def _path(path: str) -> str:
    unfit = _UNFIT_IN_PATH.search(path) or any(part in ("", ".", "..") for part in path.split("/"))
    if unfit or len(path.encode()) > MAX_PATH_BYTES:
        raise InvalidContract(_NAME, f"files names {_quoted(path)}: write a relative path such as src/app.py")
    return path


def _read_toml(text: str) -> object:
    size = len(text.encode())
    if size > _MAX_TOML_BYTES:
        raise InvalidContract(
            _NAME, f"TOML of {size:,} bytes; at most {_MAX_TOML_BYTES:,} are read: shorten the summary"
        )
    if _TOML_LONG_KEY.search(text):
        raise InvalidContract(_NAME, f"a TOML key of more than {_MAX_KEY_PARTS} parts")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise InvalidContract(_NAME, "nested too deeply") from None
    except ValueError as error:
        found = _TOML_POSITION.search(str(error))
        why = _TOML_POSITION.sub("", str(error))
        last = text.count("\n") + 1, len(text.rpartition("\n")[2]) + 1
        line, column = last if found is None or found[1] is None else (int(found[1]), int(found[2]))
        raise InvalidContract(_NAME, why, line=line, column=column) from None


def _quoted(value: object) -> str:
    text = ascii(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
