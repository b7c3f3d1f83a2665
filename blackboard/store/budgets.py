"""What a run may spend and hold: kept on the board, so that no number of controllers spends more than one budget.

Tokens and money are held before a call and settled after it. Seconds are held by the lease itself, from its claim to
its end. Activations are spent at the claim. What a worker held when it was lost counts as spent. Resources are units
that a live lease has and gives back.
"""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from blackboard.errors import BudgetExhausted
from blackboard.store.session import Turn
from blackboard.store.statements import Reads, Statement

if TYPE_CHECKING:
    from blackboard.store.opened import Store

TOKENS, MONEY, SECONDS, ACTIVATIONS = "tokens", "money", "seconds", "activations"

RESOURCES = (TOKENS, MONEY, SECONDS, ACTIVATIONS)
"""The names that a budget knows; no resource of a team may have one of them."""

_CAP = Statement("""
    INSERT INTO budget (resource, cap, spent, held, given)
    SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), 0, 0, json_extract(value, '$[1]')
    FROM json_each(:rows) WHERE true
    ON CONFLICT (resource) DO UPDATE SET given = excluded.given,
      cap = CASE WHEN budget.given = excluded.given THEN max(budget.cap, excluded.cap) ELSE excluded.cap END""")

_UNCAP = Statement("DELETE FROM budget WHERE resource NOT IN (SELECT value FROM json_each(:names))")

_UNITS = Statement("""
    INSERT INTO resource (name, units)
    SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(:rows) WHERE true
    ON CONFLICT (name) DO UPDATE SET units = excluded.units""")

_UNKNOWN_UNITS = Statement("DELETE FROM resource WHERE name NOT IN (SELECT value FROM json_each(:names))")

_BUDGETS = Statement("""
    SELECT resource, cap, spent, CASE resource
      WHEN 'seconds' THEN coalesce((SELECT sum(l.expires - l.claimed) FROM lease l WHERE l.state = 'live'), 0)
      ELSE held END AS held
    FROM budget""")

_RUNNING_SECONDS = Statement(
    "SELECT coalesce(sum(min(expires, :now) - claimed), 0) AS seconds FROM lease WHERE state = 'live'"
)

_REFUSED = Statement("SELECT reason FROM activation WHERE state = 'dead' AND error = 'BudgetExhausted'")

_SPEND = Statement("UPDATE budget SET spent = spent + :amount WHERE resource = :resource")

_HOLD = Statement("""
    INSERT INTO resource_hold (token, resource, amount)
    SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]')
    FROM json_each(:rows) WHERE true
    ON CONFLICT (token, resource) DO UPDATE SET amount = amount + excluded.amount""")

_HELD = Statement("UPDATE budget SET held = held + :held, spent = spent + :spent WHERE resource = :resource")

_LOWER = Statement("UPDATE resource_hold SET amount = amount - :amount WHERE token = :token AND resource = :resource")

_IS_HELD = Statement("SELECT amount FROM resource_hold WHERE token = :token AND resource = :resource")

_HOLDS = Statement("""
    SELECT resource, sum(amount) AS amount FROM resource_hold
    WHERE token IN (SELECT value FROM json_each(:tokens)) GROUP BY resource""")

_DROP = Statement("DELETE FROM resource_hold WHERE token IN (SELECT value FROM json_each(:tokens))")


@dataclass(frozen=True, slots=True)
class Account:
    """How one budget stands; `held` may still come back."""

    resource: str
    cap: float
    spent: float
    held: float

    @property
    def left(self) -> float:
        """What may still be held."""
        return self.cap - self.spent - self.held

    @property
    def exhausted(self) -> bool:
        """Say whether everything is spent, whatever comes back."""
        return self.spent >= self.cap


def install(turn: Turn, limits: Mapping[str, float], resources: Mapping[str, int]) -> None:
    """Set what may be spent and what there is; what was spent stays spent, what was raised stays raised.

    A raise ends with the limit that was raised: where the team's file says another one now, that one counts.
    """
    turn.run(_CAP, {"rows": json.dumps(list(limits.items()))})
    turn.run(_UNCAP, {"names": json.dumps(list(limits))})
    turn.run(_UNITS, {"rows": json.dumps(list(resources.items()))})
    turn.run(_UNKNOWN_UNITS, {"names": json.dumps(list(resources))})


def accounts(on: Reads) -> dict[str, Account]:
    """Return resource -> account of every limited one."""
    return {
        row["resource"]: Account(row["resource"], row["cap"], row["spent"], row["held"]) for row in on.all(_BUDGETS)
    }


def exhausted(on: Reads) -> tuple[str, ...]:
    """Return the budgets of which nothing is left, or too little for what a run that gave up wanted."""
    refused = [row["reason"] for row in on.all(_REFUSED)]
    return tuple(
        account.resource
        for account in accounts(on).values()
        if account.exhausted or any(reason.startswith(f"{account.resource}: ") for reason in refused)
    )


def claims_left(turn: Turn) -> int | None:
    """Return how many activations the budgets still let anybody claim, None where there is no limit."""
    known = accounts(turn)
    if any(account.exhausted for account in known.values()):
        return 0
    if SECONDS in known and known[SECONDS].left <= 0:
        return 0
    return math.floor(known[ACTIVATIONS].left) if ACTIVATIONS in known else None


def spend(turn: Turn, resource: str, amount: float) -> None:
    """Count as spent."""
    turn.run(_SPEND, {"resource": resource, "amount": amount})


def hold(store: "Store", token: int, amounts: Mapping[str, float]) -> bool:
    """Hold amounts for a lease, all or none.

    Returns:
        False where too little is left now but what others hold may come back.

    Raises:
        BudgetExhausted: Too little is left whatever comes back.
    """
    with store.writer.turn() as turn:
        known = accounts(turn)
        wanted = {resource: amount for resource, amount in amounts.items() if resource in known and amount > 0}
        for resource, amount in wanted.items():
            account = known[resource]
            mine = turn.one(_IS_HELD, {"token": token, "resource": resource})
            if account.spent + (mine["amount"] if mine else 0) + amount > account.cap:
                raise BudgetExhausted(resource, account.cap, amount)
        if any(amount > known[resource].left for resource, amount in wanted.items()):
            return False
        turn.run(_HOLD, {"rows": json.dumps([[token, resource, amount] for resource, amount in wanted.items()])})
        turn.run_many(_HELD, [{"resource": name, "held": amount, "spent": 0} for name, amount in wanted.items()])
        return True


def settle(store: "Store", token: int, held: Mapping[str, float], used: Mapping[str, float]) -> None:
    """Count what was used as spent and give the rest of what was held back.

    More than was held counts too. After the lease was lost all that it held is spent already, so nothing is counted
    twice.
    """
    with store.writer.turn() as turn:
        for resource in sorted({*held, *used}):
            mine = turn.one(_IS_HELD, {"token": token, "resource": resource})
            back = held.get(resource, 0.0)
            if mine is None:
                spend(turn, resource, max(0.0, used.get(resource, 0.0) - back))
                continue
            turn.run(_LOWER, {"token": token, "resource": resource, "amount": back})
            turn.run(_HELD, {"resource": resource, "held": -back, "spent": used.get(resource, 0.0)})


def close(turn: Turn, tokens: Iterable[int], seconds: float) -> None:
    """End what leases hold: what was not settled counts as spent, units go back, their time is spent."""
    parameters = {"tokens": json.dumps(list(tokens))}
    rows = turn.all(_HOLDS, parameters)
    turn.run_many(
        _HELD,
        [
            {"resource": row["resource"], "held": -row["amount"], "spent": row["amount"]}
            for row in rows
            if row["resource"] in RESOURCES
        ],
    )
    if rows:
        turn.run(_DROP, parameters)
    spend(turn, SECONDS, seconds)


def time_is_up(turn: Turn) -> bool:
    """Say whether the seconds are spent, those of the live leases until now included."""
    account = accounts(turn).get(SECONDS)
    if account is None:
        return False
    running: float = turn.all(_RUNNING_SECONDS, {"now": turn.now})[0]["seconds"]
    return account.spent + running >= account.cap
