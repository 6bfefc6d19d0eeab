"""Labels of the closed code lists of the network in four languages."""

from __future__ import annotations

from collections.abc import Mapping

from hub.domain import codes

LANGUAGES = ("en", "fr", "nl", "es")
"""Languages of the labels below, in their order; every other language gets the first."""

LABELS: Mapping[str, Mapping[str, tuple[str, str, str, str]]] = {
    "service-types": {
        "workshop": ("Workshop", "Atelier", "Workshop", "Taller"),
        "trade-mission": ("Trade mission", "Mission commerciale", "Handelsmissie", "Misión comercial"),
        "trade-fair": ("Trade fair", "Salon professionnel", "Vakbeurs", "Feria comercial"),
        "fund": ("Fund", "Fonds", "Fonds", "Fondo"),
        "grant": ("Grant", "Subvention", "Subsidie", "Subvención"),
        "insurance": ("Insurance", "Assurance", "Verzekering", "Seguro"),
        "matchmaking": ("Matchmaking", "Mise en relation", "Matchmaking", "Búsqueda de socios"),
        "online-tool": ("Online tool", "Outil en ligne", "Onlinehulpmiddel", "Herramienta en línea"),
        "training": ("Training", "Formation", "Training", "Formación"),
        "coaching": ("Coaching", "Accompagnement", "Coaching", "Acompañamiento"),
        "consultancy": ("Consultancy", "Conseil", "Advies", "Consultoría"),
        "hotline": ("Hotline", "Assistance téléphonique", "Hulplijn", "Línea de consulta"),
        "mentoring": ("Mentoring", "Mentorat", "Mentoring", "Mentoría"),
        "student-project": (
            "Student project",
            "Projet d’étudiants",
            "Studentenproject",
            "Proyecto de estudiantes",
        ),
        "consortium-support": (
            "Support for consortia",
            "Appui aux consortiums",
            "Steun voor consortia",
            "Apoyo a consorcios",
        ),
        "diagnosis": ("Diagnosis", "Diagnostic", "Diagnose", "Diagnóstico"),
        "recruiting": ("Recruiting", "Recrutement", "Werving", "Contratación"),
        "first-line-advice": (
            "First-line advice",
            "Conseil de premier niveau",
            "Eerstelijnsadvies",
            "Primer asesoramiento",
        ),
        "foreign-branch-planning": (
            "Foreign branch planning",
            "Implantation à l’étranger",
            "Vestiging in het buitenland",
            "Implantación en el exterior",
        ),
        "peer-exchange": (
            "Peer exchange",
            "Échange entre pairs",
            "Uitwisseling tussen ondernemers",
            "Intercambio entre empresas",
        ),
        "other": ("Other", "Autre", "Overig", "Otro"),
    },
    "service-status": {
        "active": ("Active", "Actif", "Actief", "Activo"),
        "inactive": ("Inactive", "Inactif", "Inactief", "Inactivo"),
        "defunct": ("Discontinued", "Supprimé", "Opgeheven", "Suprimido"),
        "temporarily-closed": (
            "Temporarily closed",
            "Fermé temporairement",
            "Tijdelijk gesloten",
            "Cerrado temporalmente",
        ),
    },
    "pathway-steps": {
        "diagnosis": ("Diagnosis", "Diagnostic", "Diagnose", "Diagnóstico"),
        "training": ("Training", "Formation", "Training", "Formación"),
        "market-selection": (
            "Market selection",
            "Choix des marchés",
            "Marktkeuze",
            "Selección de mercados",
        ),
        "business-plan": ("Business plan", "Plan d’affaires", "Ondernemingsplan", "Plan de negocio"),
        "follow-up": ("Follow-up", "Suivi", "Opvolging", "Seguimiento"),
    },
    "delivery": {
        "digital": ("Digital", "Numérique", "Digitaal", "Digital"),
        "physical": ("In person", "En présentiel", "Fysiek", "Presencial"),
        "both": (
            "Digital and in person",
            "Numérique et présentiel",
            "Digitaal en fysiek",
            "Digital y presencial",
        ),
    },
    "reach": {
        "european": ("European", "Européen", "Europees", "Europeo"),
        "international": ("International", "International", "Internationaal", "Internacional"),
        "both": (
            "European and international",
            "Européen et international",
            "Europees en internationaal",
            "Europeo e internacional",
        ),
    },
    "experience": {
        "none": ("No export yet", "Pas encore d’export", "Nog geen export", "Aún sin exportar"),
        "occasional": (
            "Occasional exporter",
            "Exportateur occasionnel",
            "Incidentele exporteur",
            "Exportador ocasional",
        ),
        "regular": (
            "Regular exporter",
            "Exportateur régulier",
            "Regelmatige exporteur",
            "Exportador regular",
        ),
        "indirect": (
            "Indirect exporter",
            "Exportateur indirect",
            "Indirecte exporteur",
            "Exportador indirecto",
        ),
    },
    "sizes": {
        "micro": ("Micro", "Micro", "Micro", "Microempresa"),
        "small": ("Small", "Petite", "Klein", "Pequeña"),
        "medium": ("Medium-sized", "Moyenne", "Middelgroot", "Mediana"),
        "large": ("Large", "Grande", "Groot", "Grande"),
    },
    "capacity-status": {
        "capacity": ("Places available", "Places disponibles", "Plaatsen beschikbaar", "Plazas disponibles"),
        "no-capacity": ("No places", "Complet", "Vol", "Sin plazas"),
        "waitlist": ("Waiting list", "Liste d’attente", "Wachtlijst", "Lista de espera"),
        "additional-assessment-required": (
            "After an assessment",
            "Après évaluation",
            "Na beoordeling",
            "Tras una evaluación",
        ),
    },
    "needs": {
        "skills": ("Skills", "Compétences", "Vaardigheden", "Competencias"),
        "knowledge": ("Knowledge", "Connaissances", "Kennis", "Conocimiento"),
        "funding": ("Funding", "Financement", "Financiering", "Financiación"),
        "markets": ("Markets", "Marchés", "Markten", "Mercados"),
        "governance": ("Governance", "Gouvernance", "Bestuur", "Gobernanza"),
    },
    "outcome-kinds": {
        "export-increased": ("Export increased", "Export accru", "Meer export", "Aumento de la exportación"),
        "first-export": ("First export", "Premier export", "Eerste export", "Primera exportación"),
        "new-market": ("New market", "Nouveau marché", "Nieuwe markt", "Nuevo mercado"),
        "awareness-raised": ("More aware", "Mieux informé", "Bewuster", "Más concienciada"),
        "co-operation-formed": (
            "Co-operation formed",
            "Coopération créée",
            "Samenwerking gevormd",
            "Cooperación creada",
        ),
        "contract-won": ("Contract won", "Contrat obtenu", "Contract gewonnen", "Contrato obtenido"),
        "funding-obtained": (
            "Funding obtained",
            "Financement obtenu",
            "Financiering verkregen",
            "Financiación obtenida",
        ),
        "investment-made": (
            "Investment made",
            "Investissement réalisé",
            "Investering gedaan",
            "Inversión realizada",
        ),
        "none": ("None", "Aucun", "Geen", "Ninguno"),
    },
    "reason-codes": {
        "no-capacity": ("No capacity", "Pas de capacité", "Geen capaciteit", "Sin capacidad"),
        "not-eligible": ("Not eligible", "Non éligible", "Komt niet in aanmerking", "No admisible"),
        "out-of-area": ("Out of area", "Hors zone", "Buiten het gebied", "Fuera de zona"),
        "missing-information": (
            "Information missing",
            "Informations manquantes",
            "Informatie ontbreekt",
            "Falta información",
        ),
        "could-not-contact": ("Could not be reached", "Injoignable", "Niet bereikt", "No localizada"),
        "client-not-interested": (
            "Firm not interested",
            "Entreprise non intéressée",
            "Bedrijf niet geïnteresseerd",
            "Empresa no interesada",
        ),
        "duplicate": ("Duplicate", "Doublon", "Dubbel", "Duplicado"),
        "wrong-service": ("Wrong service", "Mauvais service", "Verkeerde dienst", "Servicio equivocado"),
        "deadline": ("Deadline", "Échéance", "Termijn", "Plazo"),
        "cost": ("Cost", "Coût", "Kosten", "Coste"),
        "rerouted": ("Sent elsewhere", "Réorienté", "Doorverwezen", "Redirigido"),
        "error": ("Error", "Erreur", "Fout", "Error"),
        "other": ("Other", "Autre", "Anders", "Otro"),
    },
    "referral-states": {
        "draft": ("Draft", "Brouillon", "Concept", "Borrador"),
        "requested": ("Requested", "Demandée", "Aangevraagd", "Solicitada"),
        "accepted": ("Accepted", "Acceptée", "Aanvaard", "Aceptada"),
        "rejected": ("Rejected", "Refusée", "Afgewezen", "Rechazada"),
        "in-progress": ("In progress", "En cours", "In behandeling", "En curso"),
        "on-hold": ("On hold", "En attente", "Aangehouden", "En espera"),
        "failed": ("Failed", "Échouée", "Mislukt", "Fallida"),
        "completed": ("Completed", "Terminée", "Afgerond", "Completada"),
        "cancelled": ("Cancelled", "Annulée", "Geannuleerd", "Cancelada"),
        "entered-in-error": (
            "Entered in error",
            "Saisie par erreur",
            "Per vergissing ingevoerd",
            "Introducida por error",
        ),
    },
    "opportunity-types": {
        "business-offer": ("Business offer", "Offre commerciale", "Zakelijk aanbod", "Oferta comercial"),
        "business-request": (
            "Business request",
            "Demande commerciale",
            "Zakelijke vraag",
            "Demanda comercial",
        ),
        "technology-offer": (
            "Technology offer",
            "Offre technologique",
            "Technologieaanbod",
            "Oferta tecnológica",
        ),
        "technology-request": (
            "Technology request",
            "Demande technologique",
            "Technologievraag",
            "Demanda tecnológica",
        ),
        "research-request": (
            "Research request",
            "Demande de recherche",
            "Onderzoeksvraag",
            "Demanda de investigación",
        ),
    },
}


def place(language: str | None) -> int:
    """Index into a row of labels for a language (BCP 47)."""
    base = (language or "en").partition("-")[0].lower()
    return LANGUAGES.index(base) if base in LANGUAGES else 0


def label(scheme: str, code: str, language: str | None) -> str:
    """Name of a code for people; the code itself when its list has none."""
    if scheme in LABELS:
        row = LABELS[scheme].get(code)
        return row[place(language)] if row else code
    return codes.label(scheme, code, language or "en")
