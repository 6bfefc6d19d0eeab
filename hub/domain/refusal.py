"""An expected "no": what is wrong, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why something was not done; a value, never an exception.

    code: stable, listed in docs/errors.md; message: what and where; remedy: what to do next.
    """

    code: str
    message: str
    remedy: str
