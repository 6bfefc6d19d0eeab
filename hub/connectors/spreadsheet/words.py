"""Words of French and English spreadsheets, and the codes that they stand for.

Words are compared folded: without accents, case, punctuation and doubled spaces.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import cache

SERVICE_TYPES: Mapping[str, str] = {
    "atelier": "workshop",
    "mission commerciale": "trade-mission",
    "mission collective": "trade-mission",
    "salon": "trade-fair",
    "fonds": "fund",
    "subvention": "grant",
    "assurance": "insurance",
    "mise en relation": "matchmaking",
    "rendez-vous B2B": "matchmaking",
    "outil en ligne": "online-tool",
    "formation": "training",
    "accompagnement": "coaching",
    "conseil": "consultancy",
    "assistance téléphonique": "hotline",
    "mentorat": "mentoring",
    "projet étudiant": "student-project",
    "appui aux groupements": "consortium-support",
    "diagnostic": "diagnosis",
    "recrutement": "recruiting",
    "premier conseil": "first-line-advice",
    "implantation à l'étranger": "foreign-branch-planning",
    "échange entre pairs": "peer-exchange",
    "autre": "other",
}
STATUSES: Mapping[str, str] = {
    "actif": "active",
    "inactif": "inactive",
    "arrêté": "defunct",
    "fermé temporairement": "temporarily-closed",
    "temporarily closed": "temporarily-closed",
}
PATHWAY_STEPS: Mapping[str, str] = {
    "diagnostic": "diagnosis",
    "formation": "training",
    "choix des marchés": "market-selection",
    "plan d'action": "business-plan",
    "suivi": "follow-up",
}
DELIVERIES: Mapping[str, str] = {
    "en ligne": "digital",
    "à distance": "digital",
    "présentiel": "physical",
    "mixte": "both",
}
REACHES: Mapping[str, str] = {"européen": "european", "les deux": "both"}
TRADES: Mapping[str, str] = {"exportation": "export", "importation": "import"}
SIZES: Mapping[str, str] = {
    "TPE": "micro",
    "petite": "small",
    "moyenne": "medium",
    "ETI": "large",
    "grande": "large",
}
EXPERIENCES: Mapping[str, str] = {
    "aucune": "none",
    "occasionnelle": "occasional",
    "régulière": "regular",
    "indirecte": "indirect",
}
CHANNELS: Mapping[str, str] = {"en ligne": "online", "téléphone": "phone", "visite": "visit"}
CAPACITY_STATUSES: Mapping[str, str] = {
    "places disponibles": "capacity",
    "complet": "no-capacity",
    "full": "no-capacity",
    "liste d'attente": "waitlist",
    "sur dossier": "additional-assessment-required",
}
FREE = frozenset({"gratuit", "gratuite", "free", "free of charge"})
YES = frozenset({"oui", "yes"})
NO = frozenset({"non", "no"})
FUNDING_TERMS: Mapping[str, str] = {
    "plafond": "max-award",
    "taux": "max-rate",
    "période": "award-window",
    "durée maximale": "max-duration",
    "avance": "advance-rate",
    "début du remboursement au plus tôt": "repayment-start-earliest",
    "début du remboursement au plus tard": "repayment-start-latest",
    "échelonnement maximal": "max-instalments",
    "part non remboursée maximale": "max-unpaid-share",
    "part remboursée minimale": "min-repaid-share",
}
UNITS: Mapping[str, str] = {
    "%": "percent",
    "ans": "years",
    "an": "years",
    "mois": "months",
    "jours": "days",
    "€": "EUR",
}
DAYS: Mapping[str, str] = {
    "jour": "D",
    "jours": "D",
    "day": "D",
    "days": "D",
    "semaine": "W",
    "semaines": "W",
    "week": "W",
    "weeks": "W",
    "mois": "M",
    "month": "M",
    "months": "M",
}
"""Units of a processing time, and their letters in ISO 8601."""


def folded(text: str) -> str:
    """The text for comparing: no accents, no case, single spaces for all that is no letter or digit."""
    plain = unicodedata.normalize("NFKD", text)
    plain = "".join(sign for sign in plain if not unicodedata.combining(sign))
    return re.sub(r"[\W_]+", " ", plain.casefold()).strip()


@cache
def country_codes() -> Mapping[str, str]:
    """ISO 3166-1 alpha-2 by folded French and English name. Source: Babel (CLDR)."""
    from babel import Locale

    from hub.domain.codes import is_country

    return {
        folded(name): code
        for language in ("fr", "en")
        for code, name in Locale(language).territories.items()
        if is_country(code)
    }


@cache
def language_codes() -> Mapping[str, str]:
    """BCP 47 language by folded French and English name. Source: Babel (CLDR)."""
    from babel import Locale

    return {
        folded(name): code.replace("_", "-")
        for language in ("fr", "en")
        for code, name in Locale(language).languages.items()
    }
