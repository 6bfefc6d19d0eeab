"""Who has a stake in a firm: whoever wrote something on it, beside the parties of its cases.

Stakes stand in `referral_party` under the empty id, so that one table says who may read what of a firm.
"""

from __future__ import annotations

from collections.abc import Sequence

from hub.domain.consents import Consent
from hub.domain.diagnoses import Diagnosis
from hub.domain.firms import Registration
from hub.domain.record import Record
from hub.domain.referrals import partner_label
from hub.domain.roadmaps import Roadmap
from hub.domain.visits import Visit
from hub.store.bulk import Changes, Rows
from hub.store.tables import referral_party

OF_FIRM = ""


def index_stakes(changed: Sequence[tuple[str, Record]]) -> Changes:
    """The writers of changed records, (firm's surrogate, record), to be added.

    A stake is never given up, not even when the firm is erased: it names a surrogate, as the inbox does.
    """
    stakes = {(partner_label(writer), key) for key, one in changed if (writer := _writer(one))}
    of_no_case = {"id": OF_FIRM, "state": "", "updated_at": "", "version": 0}
    rows = [{"label": label, "firm": key, **of_no_case} for label, key in sorted(stakes)]
    return Changes((), [Rows(referral_party, rows, update=())])


def _writer(one: Record) -> str | None:
    if isinstance(one, Registration):
        return one.id
    return one.partner if isinstance(one, Consent | Diagnosis | Roadmap | Visit) else None
