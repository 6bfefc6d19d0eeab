"""Lines: the lives of single firms and services, as their partners tell them; each has one order."""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass
from typing import Any

from hub.domain.firms import firm_wire_id
from hub.domain.services import service_id

PARTNERS = ("kent-international-business", "team-france-export-normandy", "enterprise-europe-network")
TOPIC_PARTNER = PARTNERS[-1]
"""The one that also writes Kafka itself."""
NETWORK = "kent"
Message = dict[str, Any]


@dataclass
class Line:
    """Makes the events of one firm, or of one service, in their order.

    number: 3, 7, 11 … are services, the others firms. expected: by id, the verdict that must come.
    """

    number: int
    client: str
    expected: dict[str, str]
    made: int = 0

    def next_message(self, draws: random.Random) -> Message:
        """The next event, structured. Most are legal; some name a referral that nobody knows."""
        self.made += 1
        if self.number % 4 == 3:
            return self._event(draws, "service.published", *self._service())
        if self.made > 1 and draws.random() < 0.15:
            data = {"sme_id": self._firm_id, "note": "We call"}
            return self._event(draws, "referral.accepted", _uuid(draws), data, "refused")
        if self.made > 1 and draws.random() < 0.15:
            visit = {"sme_id": self._firm_id, "network": NETWORK, "on": "2026-11-23", "kind": "review"}
            return self._event(draws, "visit.recorded", _uuid(draws), {**visit, "note": f"tea {self.made}"})
        return self._event(draws, "sme.registered", self._firm_id, self._firm())

    @property
    def _firm_id(self) -> str:
        return firm_wire_id("GB-COH", f"{self.number:08}")

    def _firm(self) -> Message:
        return {
            "sme_id": self._firm_id,
            "identifier": {"scheme": "GB-COH", "number": f"{self.number:08}"},
            "name": f"Firm {self.number}",
            "country": "GB",
            "employees": self.made,
        }

    def _service(self) -> tuple[str, Message]:
        own_id = f"service-{self.number}"
        data = {
            "own_id": own_id,
            "name": {"en": f"Service {self.number}, edition {self.made}"},
            "description": {"en": "A workshop"},
            "service_type": "workshop",
        }
        return service_id(self.client, own_id), data

    def _event(
        self, draws: random.Random, what: str, subject: str, data: Message, verdict: str = "applied"
    ) -> Message:
        id_ = _uuid(draws)
        self.expected[id_] = verdict
        return {
            "specversion": "1.0",
            "id": id_,
            "source": f"/partners/{self.client}/crm",
            "type": f"hub.{what}.v1",
            "subject": subject,
            "data": data,
        }


def made_lines(count: int) -> list[Line]:
    """So many lines, of the partners in turn: three firms for each service."""
    return [Line(number, PARTNERS[number % len(PARTNERS)], {}) for number in range(count)]


def made_topic_lines(first: int, count: int) -> list[Line]:
    """So many lines of the partner that writes Kafka itself, with numbers from the first on."""
    return [Line(number, TOPIC_PARTNER, {}) for number in range(first, first + count)]


def _uuid(draws: random.Random) -> str:
    return str(uuid.UUID(int=draws.getrandbits(128), version=4))
