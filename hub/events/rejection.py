"""Why an event was not accepted: nothing of it was stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong. field: JSON pointer into the event; index: place in a batch."""

    field: str
    message: str
    index: int | None = None


class Rejected(Exception):
    """Told to the sender as RFC 9457 problem details. status: HTTP; code: stable; remedy: what to do."""

    def __init__(
        self, status: int, code: str, message: str, remedy: str, errors: Sequence[FieldError] = ()
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.remedy = status, code, message, remedy
        self.errors = tuple(errors)


def unavailable(message: str) -> Rejected:
    """The hub cannot take the event just now; the same event may be sent again."""
    return Rejected(
        503, "hub.unavailable", message, "Send the same event again, with the same id, after Retry-After."
    )
