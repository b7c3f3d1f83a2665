"""A team: its sources, checks, budget, resources and choreography."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from blackboard.choreography.ready import architect_and_coders
from blackboard.choreography.rules import check as check_choreography
from blackboard.choreography.steps import Choreography
from blackboard.choreography.values import OPERATOR
from blackboard.contracts.language import Contract
from blackboard.control import starts
from blackboard.control.check import Check
from blackboard.control.checks import check_source
from blackboard.control.conformance import conformance_source
from blackboard.control.conformance import record as conformance
from blackboard.control.prices import UNPRICED, Prices, PriceTable
from blackboard.control.prices import prices as price_table
from blackboard.control.source import Source
from blackboard.errors import InvalidTeam
from blackboard.spec import arguments
from blackboard.spec.canonical import JSON
from blackboard.spec.keys import TEAM, check_name
from blackboard.spec.triggers import CONFORMANCE, OF_THE_LIBRARY, STARTS, SourceRecord
from blackboard.store import budgets

__all__ = ["Budget", "Check", "Team"]


@dataclass(frozen=True, slots=True)
class Budget:
    """The limits of a team's spending; None means no limit.

    Attributes:
        money: In the currency of the team's `prices`, which are required with it.
        seconds: The sum over all runs.
        activations: The number of claims.
    """

    tokens: int | None = None
    money: float | None = None
    seconds: float | None = None
    activations: int | None = None

    def __post_init__(self) -> None:
        for name in ("tokens", "money", "seconds", "activations"):
            if (limit := getattr(self, name)) is not None:
                arguments.amount(limit, f"the budget of {name}")

    def limits(self) -> dict[str, float]:
        """Return resource -> limit for those that have one."""
        named = {
            "tokens": self.tokens,
            "money": self.money,
            "seconds": self.seconds,
            "activations": self.activations,
        }
        return {name: float(limit) for name, limit in named.items() if limit is not None}


@dataclass(frozen=True, slots=True)
class Team:
    """The definition of a run: prompt, sources, choreography, checks, budget, resources.

    Attributes:
        prompt: The description of the software; becomes the decision `prompt`. An operator's amendment of it on the
            board stays until the prompt in the team changes.
        choreography: `architect_and_coders()` if None is passed.
        resources: resource -> number of units.
        prices: The prices of model calls; required if the budget limits money.
        undeclared_use: For facets that a component's code uses and its author did not read: `observe` pins them too,
            `refuse` refuses the commit.
    """

    prompt: str
    sources: tuple[Source, ...]
    choreography: Choreography
    checks: tuple[Check, ...]
    budget: Budget
    resources: Mapping[str, int]
    prices: Prices
    undeclared_use: Literal["observe", "refuse"]

    def __init__(
        self,
        prompt: str,
        sources: Iterable[Source],
        *,
        choreography: Choreography | None = None,
        checks: Iterable[Check] = (),
        budget: Budget | None = None,
        resources: Mapping[str, int] | None = None,
        prices: PriceTable | None = None,
        undeclared_use: Literal["observe", "refuse"] = "observe",
    ) -> None:
        protocol = architect_and_coders() if choreography is None else choreography
        object.__setattr__(self, "prompt", arguments.text(prompt, "the prompt"))
        object.__setattr__(self, "sources", arguments.all_of_type(sources, Source, "sources"))
        object.__setattr__(self, "choreography", arguments.of_type(Choreography, protocol, "choreography"))
        object.__setattr__(self, "checks", arguments.all_of_type(checks, Check, "checks"))
        object.__setattr__(self, "budget", arguments.of_type(Budget, Budget() if budget is None else budget, "budget"))
        object.__setattr__(self, "prices", price_table(UNPRICED if prices is None else prices))
        object.__setattr__(self, "resources", dict(arguments.mapping(resources or {}, "resources")))
        if undeclared_use not in ("observe", "refuse"):
            raise InvalidTeam(f"undeclared_use is {undeclared_use!r}", "say 'observe' or 'refuse'")
        object.__setattr__(self, "undeclared_use", undeclared_use)
        if self.budget.money is not None and not self.prices.models:
            raise InvalidTeam(
                f"the budget has money={self.budget.money:g} and the team has no prices, so nothing would be counted",
                'give `prices`, {"openai:gpt-5*": {"input": 1.25, "output": 10}} or the path of a TOML file, '
                "or leave `money` out",
            )
        self._check_names()
        self._check_roles()
        self._check_resources()

    @property
    def members(self) -> tuple[Source, ...]:
        """All sources, including those of checks."""
        run = (check_source(check) for check in self.checks if check.command)
        return (*self.sources, *run, conformance_source(), starts.starts_source())

    def records(self) -> dict[str, Contract]:
        """Return the reserved keys and the prompt as `install` writes them: key -> contract.

        Raises:
            InvalidTeam: Names clash, a role is unknown, or the choreography is not well formed.
        """
        check_choreography(self.choreography)
        checks: dict[str, JSON] = {one.name: {"on": one.on, "definition": one.definition} for one in self.checks}
        checks[CONFORMANCE] = conformance()
        checks[STARTS] = starts.record()
        team: dict[str, JSON] = {
            "choreography": self.choreography.to_json(),
            "checks": checks,
            "prompt": hashlib.sha256(self.prompt.encode()).hexdigest(),
        }
        if self.undeclared_use != "observe":
            team["undeclared_use"] = self.undeclared_use
        records = {"prompt": Contract.text(self.prompt), TEAM: Contract.value(team)}
        for role in self.choreography.roles.values():
            described: JSON = {
                "members": role.members,
                "crash": role.crash,
                "wrong": role.wrong,
                "reliable": role.reliable,
            }
            records[f"role/{role.name}"] = Contract.value(described)
        for record in self.source_records():
            records[f"source/{record.name}"] = Contract.value(record.to_json())
            records[f"member/{record.name}"] = Contract.value({"roles": [record.role]})
        return records

    def source_records(self) -> tuple[SourceRecord, ...]:
        """Return the record of each source, including those of checks."""
        return tuple(source.record for source in self.members)

    def limits(self) -> dict[str, float]:
        """Return the budget's limits: resource -> amount."""
        return self.budget.limits()

    def _check_names(self) -> None:
        for name, count in Counter(source.name for source in self.members).items():
            if count > 1:
                raise InvalidTeam(
                    f"two sources have the name {name}",
                    "give each its own; the command of a check runs under the check's name",
                )
        known = Counter([*OF_THE_LIBRARY, *(check.name for check in self.checks)])
        for name, count in known.items():
            if count > 1:
                raise InvalidTeam(f"two checks have the name {name}", "give each its own")
        for source in self.sources:
            if source.check and source.check not in known:
                raise InvalidTeam(f"source {source.name} judges {source.check}", "give the team a check of that name")

    def _check_roles(self) -> None:
        known = {*self.choreography.roles, OPERATOR}
        for source in self.members:
            if source.role not in known and source.name not in OF_THE_LIBRARY:
                raise InvalidTeam(
                    f"source {source.name} has the role {source.role}", f"use one of {', '.join(sorted(known))}"
                )
        present = Counter(source.role for source in self.members)
        for role in self.choreography.voters:
            # The quorum was computed for this number: with fewer it may be unreachable, with more it may be too small.
            if present[role.name] != role.members:
                raise InvalidTeam(
                    f"{role.members} members of role {role.name} vote and the team has {present[role.name]}",
                    f"give the team {role.members} of them, or the role members={present[role.name]}",
                )

    def _check_resources(self) -> None:
        for name, units in self.resources.items():
            arguments.integer(units, f"the units of {name}", least=0)
            if check_name(name) in budgets.RESOURCES:
                raise InvalidTeam(f"a resource has the name {name}, which is a budget's", "name it otherwise")
        for source in self.sources:
            for name, units in source.needs.items():
                there = self.resources.get(name, 0)
                if units > there:
                    raise InvalidTeam(
                        f"source {source.name} needs {units} {name} and the team has {there}",
                        "give it as many in `resources`, or let the source need fewer",
                    )
