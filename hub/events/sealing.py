"""An event as it may be stored: firms by surrogate, personal members sealed, and its commitment."""

from __future__ import annotations

import copy
import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from hub.domain.marks import FirmReference, PersonalMark, places, visit
from hub.domain.references import PERSON_PREFIX
from hub.events.check import Checked
from hub.events.envelope import REQUIRED
from hub.store.vault import Subject, seal, seal_bytes

SALT_BYTES = 32
_CLEAR = frozenset((*REQUIRED, "time"))
_PLAIN_JSON = "datacontenttype", "application/json"
"""What nearly every event says; other content types have room for a text."""


@dataclass(frozen=True, slots=True)
class SealedEvent:
    """subjects: surrogates whose keys seal members and salt; salt: cipher text, or clear without subjects."""

    attributes: dict[str, Any]
    data: dict[str, Any]
    subjects: list[str]
    salt: bytes
    commitment: bytes


def seal_event(
    checked: Checked, firm: Subject | None, subjects: Mapping[str, Subject], accepted_at: str, seq: int
) -> SealedEvent:
    """Seal an event. firm: whose case it is; subjects: every firm and person of the payload, by wire id."""
    salt = os.urandom(SALT_BYTES)
    involved: Sequence[Subject] = list(
        dict.fromkeys(
            [*([firm] if firm else []), *(subjects[one] for one in (*checked.firms, *checked.persons))]
        )
    )
    attributes, data = checked.envelope.attributes, checked.envelope.data
    if involved:
        attributes, data = _sealed_copy(checked, firm, subjects)
    return SealedEvent(
        attributes=attributes,
        data=data,
        subjects=[one.surrogate for one in involved],
        salt=seal_bytes(involved, salt),
        commitment=commitment(salt, checked.as_sent, checked.principal.identity, accepted_at, seq),
    )


def commitment(salt: bytes, as_sent: bytes, partner: str, accepted_at: str, seq: int) -> bytes:
    """SHA-256(salt || JCS({accepted_at, event, partner, seq})), the entry of the ledger.

    as_sent: RFC 8785 form of the event. Source: "What a partner can check" in docs/ledger.md.
    """
    entry = b'{"accepted_at":%s,"event":%s,"partner":%s,"seq":%d}' % (
        orjson.dumps(accepted_at),
        as_sent,
        orjson.dumps(partner),
        seq,
    )
    return hashlib.sha256(salt + entry).digest()


def _sealed_copy(
    checked: Checked, firm: Subject | None, subjects: Mapping[str, Subject]
) -> tuple[dict[str, Any], dict[str, Any]]:
    attributes, data = dict(checked.envelope.attributes), copy.deepcopy(checked.envelope.data)
    for place in places(type(checked.payload)):
        mark = place.mark

        def replace(parent: dict[str, Any], container: Any, key: Any, _at: str, mark: Any = mark) -> None:
            if isinstance(mark, FirmReference):
                container[key] = subjects[container[key]].surrogate
            elif isinstance(mark, PersonalMark):
                person = mark.person_member
                owner = subjects[PERSON_PREFIX + parent[person]] if person else firm
                if owner is None:
                    raise ValueError(f"{checked.type} has a personal member but no firm")
                container[key] = seal(owner, container[key])

        visit(data, place.path, replace)
    if firm:
        if checked.type.startswith("hub.sme."):
            attributes["subject"] = firm.surrogate
        # What the sender words by itself may name the firm.
        for name in attributes.keys() - _CLEAR:
            if (name, attributes[name]) != _PLAIN_JSON:
                attributes[name] = seal(firm, attributes[name])
    return attributes, data
