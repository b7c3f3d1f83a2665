"""The definition of a check: a command of the operator's team file."""

from collections.abc import Sequence
from dataclasses import dataclass

from blackboard.control.counted import counts_tests
from blackboard.errors import Invalid, InvalidTeam
from blackboard.spec import arguments
from blackboard.spec.canonical import JSON, digest
from blackboard.spec.keys import check_name, check_pattern


@dataclass(frozen=True, slots=True)
class Check:
    """A command that can be run on a component's files and those of the components that it depends on.

    Attributes:
        on: Pattern of the components that have to pass it.
        command: The arguments, without a shell; empty for a check that a member of role tester judges by reading. A
            verdict is bound to these words, so give a script by its text (`python -c`) and not by its path. `python`
            as the first word is the interpreter that runs the team. A run of unittest or pytest without any test
            fails.
        timeout_seconds: The process group is killed after this time.
        network: Whether it may reach the network.
    """

    name: str
    on: str
    command: tuple[str, ...] = ()
    timeout_seconds: float = 60
    network: bool = False

    def __init__(
        self, name: str, *, on: str, command: Sequence[str] = (), timeout_seconds: float = 60, network: bool = False
    ) -> None:
        if isinstance(command, str):
            raise InvalidTeam(f"the command of check {name} is one string", "give a list of arguments, without a shell")
        for argument in arguments.texts(command, f"the command of check {name}"):
            if "\0" in argument:
                raise InvalidTeam(f"an argument of check {name} holds a NUL character", "leave it out")
        object.__setattr__(self, "name", check_name(name))
        object.__setattr__(self, "on", check_pattern(on))
        object.__setattr__(self, "command", tuple(command))
        object.__setattr__(self, "timeout_seconds", timeout_seconds)
        object.__setattr__(self, "network", network)
        try:
            arguments.amount(timeout_seconds, f"the time of check {name} in seconds", positive=True)
        except Invalid as error:
            raise InvalidTeam(str(error), "60 is usual") from None
        arguments.boolean(network, f"the network of check {name}")

    @property
    def definition(self) -> str:
        """Return the digest of what the check does; a verdict is bound to it."""
        value: list[JSON] = [self.name, list(self.command), self.timeout_seconds, self.network]
        return digest([*value, "a run of no tests fails"] if counts_tests(self.command) else value)
