"""A team file: a Python file with a function `team(options) -> Team`, loaded by its path.

Its folder can be imported from while it loads and while its sources run; a module that is already loaded from
elsewhere under the same name is not replaced.
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
    """What the command line says to a team file.

    Attributes:
        model: `PROVIDER:NAME` for the sources that think, None for the team's own choice.
        seed: Of everything that is drawn by lot, None for none.
        values: NAME -> VALUE of the team's own options.
    """

    model: str | None = None
    seed: int | None = None
    values: Mapping[str, str] = field(default_factory=lambda: _NONE)


def team_path(target: Path) -> Path:
    """Return the team file that a path means: itself, or team.py in that folder.

    Raises:
        InvalidTeam: There is none.
    """
    path = target / TEAM_FILE if target.is_dir() else target
    if not path.is_file():
        raise InvalidTeam(f"there is no {path}", "name a folder with a team.py, or begin one with `bb init`")
    return path.resolve()


def load_team(path: Path, options: Options) -> Team:
    """Return the team that a file defines.

    Raises:
        InvalidTeam: The file cannot be loaded, has no `team`, or `team` returns something else.
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
        # First, as Python does for a script: what stands beside the file is what it means. It stays, since sources
        # may import only when they run.
        sys.path.insert(0, folder)
    module = module_from_spec(spec)
    # Registered while it loads: dataclasses and pydantic look their module up by name.
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
    """Say at which line of the team's own folder an error arose."""
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
