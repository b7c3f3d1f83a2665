"""Contracts as the board keeps them, and back: one place for what a body has of a contract."""

from blackboard.contracts.language import Contract
from blackboard.spec.records import Body


def body_of(contract: Contract) -> Body:
    """Return a contract's text with what the board compares."""
    return Body(contract.language, contract.text, dict(contract.digests), contract.digest)


def contract_of(body: Body) -> Contract:
    """Return the contract of a body; its text is parsed only when the digests of the body are not enough."""
    return Contract.stored(body.language, body.text)
