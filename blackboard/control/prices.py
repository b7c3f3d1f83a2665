"""Prices of model calls: the operator's table, in a currency of the operator's choice."""

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, TypeAlias

from blackboard.errors import InvalidTeam

_MILLION = 1_000_000
_REPAIR = (
    'give model patterns with prices per million tokens: {"openai:gpt-5*": {"input": 1.25, "output": 10}}, '
    "or the path of a TOML file with the same below [models]"
)


@dataclass(frozen=True, slots=True)
class Usage:
    """The tokens that one call of a model used."""

    input_tokens: int
    output_tokens: int

    @property
    def total_tokens(self) -> int:
        """Input and output tokens."""
        return self.input_tokens + self.output_tokens


@dataclass(frozen=True, slots=True)
class Price:
    """Prices per million tokens."""

    input: float
    output: float

    def of(self, usage: Usage) -> float:
        """Return the cost of some usage."""
        return (usage.input_tokens * self.input + usage.output_tokens * self.output) / _MILLION

    def most(self, tokens: int) -> float:
        """Return the highest cost of this many tokens, whether input or output."""
        return tokens * max(self.input, self.output) / _MILLION


@dataclass(frozen=True, slots=True)
class Prices:
    """Model name pattern (`*` and `?` as in file names) -> price.

    Attributes:
        currency: The currency of amounts, "" if it is not named.
    """

    models: Mapping[str, Price]
    currency: str = ""

    def of(self, model: str) -> Price | None:
        """Return the price of a model: under its own name, else under the longest matching pattern, else None."""
        fitting = [pattern for pattern in self.models if pattern == model or fnmatchcase(model, pattern)]
        return self.models[max(fitting, key=lambda one: (one == model, len(one), one))] if fitting else None


UNPRICED = Prices({})
"""No model has a price."""

PriceTable: TypeAlias = Prices | Mapping[str, Mapping[str, float]] | str | Path
"""The forms of a price table in a team: the table itself, a mapping, or the path of a TOML file."""


def prices(given: PriceTable) -> Prices:
    """Return the price table of a team's argument.

    A TOML file has an optional `currency = "USD"`, and below `[models]` the content of the mapping:
    `"openai:gpt-5*" = { input = 1.25, output = 10 }`, prices per million tokens.

    Raises:
        InvalidTeam: It is no such table, or the file cannot be read.
    """
    if isinstance(given, Prices):
        return given
    if isinstance(given, Mapping):
        return Prices({_pattern(name): _price(str(name), price) for name, price in given.items()})
    if not isinstance(given, str | Path):
        raise InvalidTeam(f"the prices are {type(given).__name__}", _REPAIR)
    try:
        read: dict[str, Any] = tomllib.loads(Path(given).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidTeam(f"the prices in {given} cannot be read: {error}", _REPAIR) from error
    models, currency = read.get("models"), read.get("currency", "")
    if not isinstance(models, dict) or not isinstance(currency, str) or read.keys() - {"models", "currency"}:
        raise InvalidTeam(f"{given} has other members than [models] and the text `currency`", _REPAIR)
    return Prices({name: _price(name, price) for name, price in models.items()}, currency)


def _pattern(name: object) -> str:
    if not isinstance(name, str) or not name:
        raise InvalidTeam(f"{name!r} is no pattern of model names", _REPAIR)
    return name


def _price(name: str, given: object) -> Price:
    if isinstance(given, Price):
        given = {"input": given.input, "output": given.output}
    if not isinstance(given, Mapping) or set(given) != {"input", "output"}:
        raise InvalidTeam(f"the price of {name} is {given!r}", _REPAIR)
    for side, amount in given.items():
        if type(amount) not in (int, float) or not math.isfinite(amount) or amount < 0:
            raise InvalidTeam(f"the {side} price of {name} is {amount!r}", "give a number, 0 or more")
    return Price(float(given["input"]), float(given["output"]))
