"""What is found of a hub that cannot be used as it is."""

from __future__ import annotations

from hub.domain.refusal import Refusal


class Unfit(Exception):
    """The hub cannot be used as it is; nothing was changed."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal
