"""The quick way to a canonical text writes what the RFC's own writer does."""

from __future__ import annotations

from typing import Any

import pytest
import rfc8785
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hub.domain.canonical import canonical

TEXT = st.text(max_size=8) | st.sampled_from(
    ["null", ":1.5", '":1.5', "[1e5", "\U0001f600", "\ufb33", "\x7f", "\u2028"]
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(value=VALUES)
@example({"\U0001f600": 1, "\ufb33": 2})
@example([1e16, 1.0, -0.0, 5e-324, 1e21])
@example({"a": 1e16})
@example('\x00\x08\x1f"\\/\u2028é')
def test_it_is_what_the_rfcs_own_writer_writes(value: Any) -> None:
    assert canonical(value) == rfc8785.dumps(value)


def test_large_integers_keep_their_digits() -> None:
    assert canonical({"b": 2**63 - 1, "a": [-(2**63), 10**30]}) == (
        b'{"a":[-9223372036854775808,1000000000000000000000000000000],"b":9223372036854775807}'
    )


@pytest.mark.parametrize(
    "value", [float("nan"), [float("inf")], {"a": "\ud800"}, {"\ud800": 1}, {1: "a"}, {1, 2}]
)
def test_what_has_no_canonical_form_is_refused(value: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        canonical(value)
