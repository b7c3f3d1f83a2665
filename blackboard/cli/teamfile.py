"""A team file: a Python file with a function `team(options) -> Team`, loaded by its path.

Modules of its folder can be imported while it loads and while its sources run; a module of the same name that is
already loaded from another folder is not replaced.
"""

import sys
import traceback
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import MappingProxyType, ModuleType

import typer

from blackboard.cli.place import TEAM_FILE
from blackboard.control.team import Team
from blackboard.errors import BlackboardError, InvalidTeam

_MODULE = "bb_team_file"

_NONE: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Options:
    """The options of the command line for a team file.

    Attributes:
        model: `PROVIDER:NAME` for the sources that use a model, None for the team's own choice.
        seed: The seed of random choices, None for none.
        values: NAME -> VALUE of the team's own options.
    """

    model: str | None = None
    seed: int | None = None
    values: Mapping[str, str] = field(default_factory=lambda: _NONE)


def team_path(target: Path) -> Path:
    """Return the team file of a path: the path itself, or team.py in that folder.

    Raises:
        InvalidTeam: There is no such file.
    """
    path = target / TEAM_FILE if target.is_dir() else target
    if not path.is_file():
        raise InvalidTeam(f"there is no {path}", "name a folder with a team.py, or begin one with `bb init`")
    return path.resolve()


def load_team(path: Path, options: Options) -> Team:
    """Return the team that a file defines.

    Raises:
        InvalidTeam: The file cannot be loaded, has no function `team`, or `team` does not return a `Team`.
    """
    module = _load(path)
    make = getattr(module, "team", None)
    if not callable(make):
        raise InvalidTeam(f"{path} has no function team(options)", "define one that returns a Team")
    try:
        team = make(options)
    except BlackboardError:
        raise
    except (Exception, SystemExit) as error:
        raise _broken(path, error) from error
    if not isinstance(team, Team):
        raise InvalidTeam(f"team(options) of {path} returned {type(team).__name__}", "return a blackboard.Team")
    return team


def _load(path: Path) -> ModuleType:
    spec = spec_from_file_location(_MODULE, path)
    if spec is None or spec.loader is None:
        raise InvalidTeam(f"{path} is no Python file", "name a folder with a team.py")
    folder = str(path.parent)
    if folder not in sys.path:
        # First in the path, as for a script: modules next to the file have precedence. The entry stays, because
        # sources may import when they run.
        sys.path.insert(0, folder)
    module = module_from_spec(spec)
    # Registered before it is executed: dataclasses and pydantic look up their module by name.
    sys.modules[_MODULE] = module
    try:
        spec.loader.exec_module(module)
    except BlackboardError:
        raise
    except (Exception, SystemExit) as error:
        raise _broken(path, error) from error
    return module


def _broken(path: Path, error: BaseException) -> InvalidTeam:
    return InvalidTeam(f"{path} raises {type(error).__name__}: {error}{_where(path, error)}", "mend it and run again")


def _where(path: Path, error: BaseException) -> str:
    """Return the line of the team's own folder at which an error was raised."""
    if isinstance(error, SyntaxError):
        return ""
    own = [frame for frame in traceback.extract_tb(error.__traceback__) if _inside(path.parent, frame.filename)]
    return f" ({Path(own[-1].filename).name} line {own[-1].lineno})" if own else ""


def _inside(folder: Path, filename: str) -> bool:
    return Path(filename).is_relative_to(folder)


def parse_values(pairs: Iterable[str]) -> dict[str, str]:
    """Return NAME -> VALUE of texts `NAME=VALUE`."""
    values: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not name or not equals:
            raise typer.BadParameter(f"--option {pair} is not NAME=VALUE")
        values[name] = value
    return values
