"""Who has a stake in a firm: whoever wrote something on it, beside the parties of its cases.

Stakes stand in `referral_party` under the empty id, so that one table says who may read what of a firm. So do
the networks in whose mandate it is or was (hub.domain.erasures): by labels of their own, which no viewer
answers to, as to be in a mandate opens nothing of a firm.
"""

from __future__ import annotations

from collections.abc import Sequence

from hub.domain.consents import Consent
from hub.domain.diagnoses import Diagnosis
from hub.domain.firms import Registration
from hub.domain.record import Record
from hub.domain.referrals import Referral, partner_label
from hub.domain.roadmaps import Roadmap
from hub.domain.visits import Visit
from hub.store.bulk import Changes, Rows
from hub.store.tables import referral_party

OF_FIRM = ""
_MANDATE_PREFIX = "mandate:"


def index_stakes(changed: Sequence[tuple[str, Record]]) -> Changes:
    """Writers and networks of changed records, (firm's surrogate, record), to be added.

    A stake is never given up, not even when the firm is erased: it names a surrogate, as the inbox does.
    """
    stakes = {(label, key) for key, one in changed for label in _labels(one)}
    of_no_case = {"id": OF_FIRM, "state": "", "updated_at": "", "version": 0}
    rows = [{"label": label, "firm": key, **of_no_case} for label, key in sorted(stakes)]
    return Changes((), [Rows(referral_party, rows, update=())])


def mandate_label(network: str) -> str:
    """The label of firms that are or were in the mandate of a network (slug)."""
    return f"{_MANDATE_PREFIX}{network}"


def _labels(one: Record) -> list[str]:
    if isinstance(one, Registration):
        return [partner_label(one.id), *map(mandate_label, one.networks)]
    if isinstance(one, Diagnosis | Roadmap | Visit):
        return [partner_label(one.partner), mandate_label(one.network)]
    if isinstance(one, Referral):
        return [mandate_label(one.network)]
    return [partner_label(one.partner)] if isinstance(one, Consent) else []
