"""Every table. ``truth`` is migrated and kept for good; ``read`` can be thrown away and folded again."""

from hub.store.tables.auth import oauth_client, oauth_client_key, oauth_jti, oauth_revoked
from hub.store.tables.columns import Number, String, read, truth
from hub.store.tables.events import (
    checkpoint,
    delivery,
    identity,
    inbox,
    leaf,
    parked,
    reference,
    relay,
    subject_key,
    tile,
)
from hub.store.tables.onboarding import application, key_use, scope_request
from hub.store.tables.people import person, person_link, person_recovery, person_session, sign_in_try
from hub.store.tables.read_model import (
    model,
    opportunity_row,
    position,
    record,
    referral_party,
    referral_row,
    service_row,
    tag,
    verdict,
)

__all__ = [
    "Number",
    "String",
    "application",
    "checkpoint",
    "delivery",
    "identity",
    "inbox",
    "key_use",
    "leaf",
    "model",
    "oauth_client",
    "oauth_client_key",
    "oauth_jti",
    "oauth_revoked",
    "opportunity_row",
    "parked",
    "person",
    "person_link",
    "person_recovery",
    "person_session",
    "position",
    "read",
    "record",
    "reference",
    "referral_party",
    "referral_row",
    "relay",
    "scope_request",
    "service_row",
    "sign_in_try",
    "subject_key",
    "tag",
    "tile",
    "truth",
    "verdict",
]
