"""What the pages say, in each of their languages."""

from __future__ import annotations

import json
from importlib.resources import files

LANGUAGES = ("en", "fr", "nl", "es")
"""The first one is for those who ask for none of them."""

Words = dict[str, str]


def load_words() -> dict[str, Words]:
    """The catalogue of each language; all have the same keys."""
    folder = files("hub.web").joinpath("words")
    return {
        language: json.loads(folder.joinpath(f"{language}.json").read_text(encoding="utf-8"))
        for language in LANGUAGES
    }


def language_of(accepted: str) -> str:
    """The language that the header Accept-Language likes best among ours (RFC 9110, 12.5.4)."""
    best, best_quality = LANGUAGES[0], 0.0
    for choice in accepted.split(",")[:20]:
        tag, _, parameter = choice.strip().partition(";")
        language = tag.strip().partition("-")[0].lower()
        quality = _quality(parameter)
        if language in LANGUAGES and quality > best_quality:
            best, best_quality = language, quality
    return best


def _quality(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
