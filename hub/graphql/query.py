"""The root of all queries: one base for each noun."""

from __future__ import annotations

import strawberry

from hub.graphql.audit import AuditQueries
from hub.graphql.cases_firms import FirmQueries
from hub.graphql.cases_ledger import LedgerQueries
from hub.graphql.cases_referrals import ReferralQueries
from hub.graphql.cases_roadmaps import RoadmapQueries
from hub.graphql.opportunities import OpportunityQueries
from hub.graphql.registry_types import RegistryQueries
from hub.graphql.services import ServiceQueries
from hub.graphql.viewer import ViewerQueries
from hub.graphql.vocabulary import VocabularyQueries


@strawberry.type
class Query(
    ServiceQueries,
    OpportunityQueries,
    RegistryQueries,
    VocabularyQueries,
    ReferralQueries,
    FirmQueries,
    RoadmapQueries,
    LedgerQueries,
    AuditQueries,
    ViewerQueries,
):
    """Only what the caller may see is counted and found."""
