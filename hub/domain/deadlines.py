"""Missed deadlines, as the hub's own clocks record them."""

from __future__ import annotations

from typing import Literal
from uuid import NAMESPACE_URL, uuid5

from hub.domain.values import MovePayload, Time


def deadline_id(subject: str, kind: str, due_at: str) -> str:
    """Id of the event that records a missed deadline; due_at as in its data."""
    return str(uuid5(NAMESPACE_URL, f"urn:hub:deadline:{subject}:{kind}:{due_at}"))


class DeadlineMissed(MovePayload):
    """hub.deadline.missed.v1; subject: the referral or diagnosis."""

    kind: Literal["first-answer", "first-contact", "roadmap"]
    due_at: Time
