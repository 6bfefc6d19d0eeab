"""The answer to a request that is not let in."""

from __future__ import annotations

from collections.abc import Mapping

from hub.domain.principal import Principal
from hub.domain.refusal import Refusal


class Denied(Exception):
    """The request is not let in. status: 401 or 403; headers: to send with the refusal.

    principal: whose it was, where that is known although the request is not let in.
    """

    def __init__(self, status: int, refusal: Refusal, headers: Mapping[str, str]) -> None:
        super().__init__(refusal.code)
        self.status, self.refusal, self.headers = status, refusal, dict(headers)
        self.principal: Principal | None = None
