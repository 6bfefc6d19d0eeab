"""Code lists by name, with labels: closed lists of the network in four languages, ISO lists in any."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from itertools import product
from string import ascii_lowercase, ascii_uppercase, digits

import strawberry

from hub.domain import codes
from hub.domain.refusal import Refusal
from hub.graphql.declared import requires
from hub.graphql.labels import LABELS
from hub.graphql.refusals import refused
from hub.graphql.scalars import Code


def _nace() -> list[str]:
    numbers = ["".join(pair) for pair in product(digits, repeat=2)]
    parts = ["", *(f".{one}" for one in digits), *(f".{one}{two}" for one, two in product(digits, repeat=2))]
    candidates = [*ascii_uppercase, *(number + part for number in numbers for part in parts)]
    return [code for code in candidates if codes.is_nace(code, "nace-2.1")]


def _letters(alphabet: str, length: int, known: Callable[[str], bool]) -> list[str]:
    return [code for code in map("".join, product(alphabet, repeat=length)) if known(code)]


# hub.domain.codes tells what is in a list; these ask it for every code that has the list's shape.
_LISTS: Mapping[str, tuple[str, Callable[[], list[str]]]] = {
    "countries": ("country", lambda: _letters(ascii_uppercase, 2, codes.is_country)),
    "currencies": ("currency", lambda: _letters(ascii_uppercase, 3, codes.is_currency)),
    "languages": ("language", lambda: _letters(ascii_lowercase, 2, codes.is_language)),
    "nace-2.1": ("nace-2.1", _nace),
}
NAMES = (*sorted(_LISTS), *LABELS)


@cache
def _codes(name: str) -> tuple[str, tuple[str, ...]]:
    if name in LABELS:
        return name, tuple(LABELS[name])
    scheme, listed = _LISTS[name]
    return scheme, tuple(listed())


@strawberry.type
class VocabularyQueries:
    """The field `vocabulary`."""

    @requires()
    async def vocabulary(self, name: str) -> list[Code]:
        """A code list: countries, currencies, languages, nace-2.1, or one of the network's own."""
        if name not in NAMES:
            near = codes.nearest(name, NAMES)
            raise refused(
                Refusal(
                    "payload.invalid",
                    f"there is no vocabulary of that name{f': did you mean {near}?' if near else ''}",
                    f"Use one of {', '.join(NAMES)}.",
                )
            )
        scheme, listed = _codes(name)
        return [Code(scheme=scheme, code=code) for code in listed]
