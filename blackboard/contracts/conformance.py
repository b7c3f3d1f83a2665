"""How a component's files are held against the contracts that it implements: the conformance plan of each language.

Pure: what can be told from the texts is told here; what a type checker has to say is asked by a command over probes,
which `control.conformance` runs in the sandbox.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from blackboard.contracts.finding import Finding
from blackboard.contracts.language import Contract
from blackboard.contracts.python.checker import COMMAND, Judging, judging, said
from blackboard.contracts.python.stub import Stub

JUDGED = ("python",)
"""The languages that can judge files."""

RULES = 1
"""Counted up with each change of what conforms, so that no verdict of other rules stands."""


@dataclass(frozen=True, slots=True)
class ConformancePlan:
    """What some files are held to.

    Attributes:
        found: What the texts alone tell.
        probes: path -> probe, to lie beside the files; none where nothing is left to ask.
        command: The arguments for Python that check the probes.
    """

    found: tuple[Finding, ...]
    probes: Mapping[str, str]
    command: tuple[str, ...]
    _judgings: tuple[Judging, ...]

    def said(self, output: str) -> tuple[Finding, ...]:
        """Return what the output of the command says, in the words of the contracts."""
        return said(output, self._judgings)


def conformance_plan(
    implemented: Mapping[str, tuple[Contract, Collection[str] | None]], files: Mapping[str, str]
) -> ConformancePlan:
    """Return what files are held to.

    Args:
        implemented: key -> the contract and the facets of it that are implemented, None for all.
        files: path -> text.
    """
    judgings: list[Judging] = []
    for number, (_, (contract, facets)) in enumerate(sorted(implemented.items())):
        body = contract.body if contract.language in JUDGED else None
        if isinstance(body, Stub):
            judgings.append(judging(body.source, files, facets=facets, number=number))
    found = sorted({finding for one in judgings for finding in one.found})
    probes = {one.path: one.text for one in judgings if one.lines}
    return ConformancePlan(tuple(found), probes, (*COMMAND, *probes), tuple(judgings))
