"""Why an event was not accepted: nothing of it was stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hub.events.envelope import BATCH, STRUCTURED
from hub.events.strict_json import EnvelopeError

_REMEDIES = {
    400: "Mend the event and send it again; CloudEvents 1.0 says how it is written.",
    413: "Send smaller events, or fewer in one batch.",
    415: f"Use {STRUCTURED}, {BATCH}, or application/json with ce- headers (on Kafka ce_).",
}


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong. field: JSON pointer into the event; index: place in a batch."""

    field: str
    message: str
    index: int | None = None


class Rejected(Exception):
    """Told to the sender as RFC 9457 problem details. status: HTTP; code: stable; remedy: what to do.

    retry_after_s: when the same may be sent again; None for shortly, or never.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        remedy: str,
        errors: Sequence[FieldError] = (),
        *,
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.remedy = status, code, message, remedy
        self.errors, self.retry_after_s = tuple(errors), retry_after_s


def unavailable(message: str) -> Rejected:
    """The hub cannot take the event just now; the same event may be sent again."""
    return Rejected(
        503, "hub.unavailable", message, "Send the same event again, with the same id, after Retry-After."
    )


def unreadable(error: EnvelopeError) -> Rejected:
    """The bytes are no event."""
    where = f"{error.field.lstrip('/')} " if error.field else ""
    at = f"Event {error.index}: " if error.index is not None else ""
    return Rejected(
        error.status,
        error.code,
        f"{at}{where}{error.message}.",
        _REMEDIES[error.status],
        [FieldError(error.field, error.message, error.index)],
    )
