"""Constructors of triggers, read as a sentence: `on=[on.required("**"), on.stale("**")]`."""

from blackboard.spec.triggers import Trigger, TriggerKind


def accepted(pattern: str) -> Trigger:
    """Wake when a decision under the pattern is accepted or amended."""
    return Trigger(TriggerKind.ACCEPTED, pattern)


def proposed(pattern: str) -> Trigger:
    """Wake when a version of a decision under the pattern is proposed and has to be voted."""
    return Trigger(TriggerKind.PROPOSED, pattern)


def asked(pattern: str) -> Trigger:
    """Wake when a question under the pattern is asked, and again at each new round of its agreement."""
    return Trigger(TriggerKind.ASKED, pattern)


def contested(pattern: str) -> Trigger:
    """Wake when a decision under the pattern becomes contested: its vote failed or its deadline passed."""
    return Trigger(TriggerKind.CONTESTED, pattern)


def retracted(pattern: str) -> Trigger:
    """Wake when a decision under the pattern is retracted."""
    return Trigger(TriggerKind.RETRACTED, pattern)


def written(pattern: str) -> Trigger:
    """Wake when a component under the pattern is written."""
    return Trigger(TriggerKind.WRITTEN, pattern)


def required(pattern: str) -> Trigger:
    """Wake when a key under the pattern is required and absent."""
    return Trigger(TriggerKind.REQUIRED, pattern)


def stale(pattern: str) -> Trigger:
    """Wake when a component under the pattern becomes stale or orphaned."""
    return Trigger(TriggerKind.STALE, pattern)


def suspect(pattern: str) -> Trigger:
    """Wake when a component under the pattern becomes suspect, so that its checks have to run again."""
    return Trigger(TriggerKind.SUSPECT, pattern)


def failed(check: str) -> Trigger:
    """Wake when the named check fails on a component."""
    return Trigger(TriggerKind.FAILED, check)


def passed(check: str) -> Trigger:
    """Wake when the named check passes on a component."""
    return Trigger(TriggerKind.PASSED, check)


def quiescent() -> Trigger:
    """Wake when the board is quiescent and every obligation is met."""
    return Trigger(TriggerKind.QUIESCENT)
