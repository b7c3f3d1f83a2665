"""The errors of model calls, and the end of the run that each causes.

    UnusableReply (GiveUp)    an unusable reply, also Invalid, so that it counts as a refused result
    ├── UnreadableReply       the reply and its repair do not have the requested shape
    ├── ReplyTruncated        the reply and its repair were cut off at the model's limit
    ├── ModelRefused          the model or its provider's filter declined
    └── RequestRejected       the provider rejects the request: too long, or an unknown setting
    ModelFailed               no reply: a broken connection, an error of the provider's server; retried
    └── ModelTimeout          no reply in time
    CallsExhausted (GiveUp)   the activation has made all its permitted calls

A provider that asks to wait raises the controller's `RetryLater`, one that will never answer `StopRun`.
"""

import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any, NoReturn

from blackboard import BlackboardError, Context, GiveUp, Invalid, RetryLater, StopRun

MAX_CALLS = 3
"""The permitted model calls of one activation, over all its attempts; postponed calls do not count."""

WAIT_SECONDS = 15.0
"""The wait for a busy provider that names no time."""

_STOPS: Mapping[int, str] = {
    401: "the key is not accepted: set another one",
    402: "the account has to be paid",
    403: "the key may not do this: allow it or set another one",
    404: "there is no such model or address: name another one",
}
_BUSY = frozenset({429, 503, 529})
_PASSING = frozenset({408, 409, 425})
_UNSENT = frozenset({"ConnectError", "ConnectTimeout", "PoolTimeout", "ConnectionRefusedError", "ClientConnectorError"})
"""Names of errors, of any client, that are raised before the request is sent."""
_SHOWN = 500
OWN = (GiveUp, RetryLater, StopRun)
"""Errors that a model of the team may raise to end the run itself."""


class UnusableReply(GiveUp, Invalid):
    """The model answered, and its reply is of no use."""


class UnreadableReply(UnusableReply):
    """The model's reply is not what was asked for, and its repair is not either."""


class ReplyTruncated(UnusableReply):
    """The model's reply was cut off at its limit of output tokens, and its repair was too."""


class ModelRefused(UnusableReply):
    """The model, or a filter of its provider, declined to answer."""


class RequestRejected(UnusableReply):
    """The provider does not take the request."""


class ModelFailed(BlackboardError):
    """The model did not answer."""


class ModelTimeout(ModelFailed):
    """The model did not answer in time."""


class CallsExhausted(GiveUp):
    """The activation has made all the calls of a model that it may make."""


def calls_left(context: Context) -> int:
    """Return the number of calls that the activation may still make.

    After a conflict one more is always permitted, because the premises of the last reply have changed.

    Raises:
        CallsExhausted: No call is left.
    """
    failed = context.previous
    left = MAX_CALLS - context.calls_made
    if left > 0:
        return left
    if failed is not None and failed.error == "Conflict":
        return 1
    said = "" if failed is None else f"{failed.error}: {failed.text}; "
    raise CallsExhausted(
        f"{said}the model is not asked again for {context.target}: "
        "see `bb show KEY --prompts`, then use another model or change the task"
    )


def may_have_been_read(error: BaseException) -> bool:
    """Say whether the provider may have read the request of a call without a reply, and counts it."""
    if _status(error) is not None or isinstance(error, OWN):
        return False
    cause: BaseException | None = error
    while cause is not None and type(cause).__name__ not in _UNSENT:
        cause = cause.__cause__
    return cause is None


def explained(error: BaseException, model: str) -> Exception:
    """Return the error with which a failed model call ends the run."""
    said = f"{model}: {type(error).__name__}: {str(error)[:_SHOWN]}"
    status, kinds = _status(error), {kind.__name__ for kind in type(error).__mro__}
    if isinstance(error, TimeoutError) or kinds & {"ModelTimeoutError", "APITimeoutError", "TimeoutException"}:
        return ModelTimeout(said)
    if kinds & {"ModelRefusalError", "ContentFilterFinishReasonError"}:
        return ModelRefused(f"{said} (operator: change the task or use another model)")
    wait = _retry_after(error)
    if status in _STOPS or getattr(error, "code", None) == "insufficient_quota":
        return StopRun(f"{said}; {_STOPS.get(status or 0, _STOPS[402])}")
    if status is not None and (status in _BUSY or (wait is not None and status >= 500)):  # noqa: PLR2004 - HTTP
        return RetryLater(said, seconds=WAIT_SECONDS if wait is None else wait)
    if "ContextOverflowError" in kinds or (status is not None and status < 500 and status not in _PASSING):  # noqa: PLR2004
        return RequestRejected(f"{said}; change the model's settings, or what the task makes it read")
    return ModelFailed(said)


def raise_unusable(error: Exception, name: str, why: str, said: str) -> NoReturn:
    """Raise the error for a reply whose repair is unusable too; the operator and the model read its text."""
    kind = ReplyTruncated if isinstance(error, CutOff) else UnreadableReply
    raise kind(
        f"the reply is no {name}: {why[:_SHOWN]}; it said {said[:_SHOWN]!r} "
        "(operator: if this goes on, use a model that follows instructions better, or split the task)"
    ) from error


class CutOff(ValueError):
    """A reply was cut off at the model's limit of output tokens."""

    def __init__(self) -> None:
        super().__init__("it was cut off at the model's limit of output tokens; reply with less text")


def _status(error: BaseException) -> int | None:
    found: Any = getattr(error, "status_code", None)
    if found is None:
        found = getattr(getattr(error, "response", None), "status_code", None)
    # The error of an unreadable response with status 200 has this field too, and is no refusal of the request.
    return found if isinstance(found, int) and found >= 400 else None  # noqa: PLR2004 - HTTP


def _retry_after(error: BaseException) -> float | None:
    """Return the seconds that the provider asks to wait, given as seconds, milliseconds or a date."""
    headers: Any = getattr(getattr(error, "response", None), "headers", None) or {}
    try:
        if "retry-after-ms" in headers:
            return max(0.0, float(headers["retry-after-ms"]) / 1000)
        said = headers.get("retry-after")
        if said is None:
            return None
        seconds = float(said) if said.strip()[:1].isdigit() else parsedate_to_datetime(said).timestamp() - time.time()
    except (TypeError, ValueError):
        return None
    return max(0.0, seconds)
