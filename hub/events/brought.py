"""Which referrals an event brings about, under ids of its sender's choice or of the hub's own making."""

from __future__ import annotations

from hub.domain.opportunities import InterestExpressed, interest_referral_id
from hub.domain.referrals import ReferralRequested
from hub.domain.visits import VisitRecorded, signpost_referral_id
from hub.events.check import Checked


def creates(event: Checked) -> bool:
    """Whether the event brings a referral about under an id of its sender's choice."""
    return isinstance(event.payload, ReferralRequested)


def derived(event: Checked) -> dict[str, str]:
    """Ids of the referrals that the event brings about under ids of the hub's own making."""
    payload = event.payload
    if isinstance(payload, InterestExpressed):
        return {"referral": interest_referral_id(event.subject, payload.sme_id)}
    if isinstance(payload, VisitRecorded):
        return {slug: signpost_referral_id(event.subject, slug) for slug in payload.signposted_to}
    return {}
