"""A clock that is days off, for the hub's own use of it: acceptance, the relay's retained past, parking.

Authentication keeps the right time: with its clock off by days it turns everybody away, as it should, and
then nothing that is to be tested here is reached.
"""

from __future__ import annotations

import datetime
import sys
from typing import Any

RIGHT_TIME = ("hub.auth", "hub.rest", "hub.graphql")


class _Kind(type):
    """Ordinary times are times to the shifted class, too."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, datetime.datetime)


def install(days: float) -> None:
    """Let every loaded module of the hub, but for RIGHT_TIME, tell the time so many days off."""
    shift = datetime.timedelta(days=days)

    class Shifted(datetime.datetime, metaclass=_Kind):
        """Says `now` with the shift; all else, and what it returns, is ordinary."""

        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> Any:
            """The time, shifted."""
            return datetime.datetime.now(tz) + shift

    for name, module in list(sys.modules.items()):
        if not name.startswith("hub.") or name.startswith(RIGHT_TIME):
            continue
        if getattr(module, "datetime", None) is datetime.datetime:
            module.datetime = Shifted  # type: ignore[attr-defined]
