"""Texts for the prompt of the next attempt, one for each kind of failure."""

from collections.abc import Callable, Mapping

from blackboard import Failure
from knowledge_sources.facts import Fact


def _conflict(failure: Failure) -> str:
    lines = [f"- {premise}" for premise in failure.premises] or [f"- {failure.text}"]
    return "\n".join(
        [
            "While you worked, somebody changed what you had read. Nothing of your reply was written:",
            *lines,
            "The blocks above show what holds now. Keep what is still right of your draft and mend the rest.",
        ]
    )


def _says(what: str) -> Callable[[Failure], str]:
    return lambda failure: f"{what}\n{failure.text}"


_REFUSED = _says("Your last reply was refused, and nothing was written:")

_WORDS: Mapping[str, tuple[str, Callable[[Failure], str]]] = {
    "Conflict": ("conflict", _conflict),
    "UnreadableReply": ("invalid reply", _says("Your last reply could not be read, so nothing was written:")),
    "ReplyTruncated": ("cut off", _says("Your last reply was cut off, so nothing was written. Reply with less text:")),
    "ModelRefused": ("declined", _says("You declined to answer, so nothing was written:")),
    **dict.fromkeys(
        ("TimeoutError", "ModelTimeout"),
        ("time-out", _says("There was no reply in time. Reply with less text:")),
    ),
    "NotPermitted": (
        "not permitted",
        _says("When you tried last, the team's rules did not permit it. Nothing was written:"),
    ),
    "Inconsistent": ("constraint", _says("Your reply would have made a constraint false. Nothing was written:")),
    **dict.fromkeys(
        ("IllegalTransition", "Invalid", "InvalidContract", "InvalidKey", "TooLarge"),
        ("refused", _REFUSED),
    ),
    "Returning": ("returning", _says("You replied with a text that the team had given up. Nothing was written:")),
}


def refusal_fact(previous: object) -> Fact | None:
    """Return the block with the failure of the last attempt, None if the reply is not the reason.

    Args:
        previous: A `Failure`, or a text.
    """
    if not isinstance(previous, Failure):
        return Fact("refused", {"reason": "refused"}, _REFUSED(Failure("", str(previous))))
    known = _WORDS.get(previous.error)
    return None if known is None else Fact("refused", {"reason": known[0]}, known[1](previous))
