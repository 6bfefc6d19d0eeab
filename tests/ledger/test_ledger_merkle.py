"""Verification refuses everything but the one valid proof, and never raises."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.ledger.merkle import (
    EMPTY_ROOT,
    leaf_hash,
    node_hash,
    verify_consistency,
    verify_inclusion,
)
from hub.ledger.tree import consistency_proof, inclusion_proof, root

SIZES = st.integers(2, 600)
JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=True),
    st.text(max_size=40),
    st.binary(max_size=40),
    st.binary(min_size=32, max_size=32),
    st.lists(st.one_of(st.none(), st.binary(min_size=32, max_size=32), st.text(max_size=32)), max_size=5),
)


def flipped(value: bytes, bit: int) -> bytes:
    """The same bytes but for one bit."""
    return bytes(byte ^ (1 << bit % 8 if at == bit // 8 else 0) for at, byte in enumerate(value))


def test_leaves_and_nodes_are_hashed_in_separate_domains():
    commitment = b"c" * 32
    assert leaf_hash(commitment) == sha256(b"\x00" + commitment).digest()
    assert node_hash(commitment, commitment) == sha256(b"\x01" + commitment * 2).digest()
    assert leaf_hash(commitment * 2) != node_hash(commitment, commitment)
    assert sha256().digest() == EMPTY_ROOT


@settings(max_examples=60, deadline=None)
@given(size=SIZES, bit=st.integers(0, 255), data=st.data())
def test_inclusion_fails_when_any_part_of_it_changes(large, entries, size, bit, data):
    index = data.draw(st.integers(0, size - 1))
    leaf, hashes, head = leaf_hash(entries[index]), inclusion_proof(large, index, size), root(large, size)
    assert verify_inclusion(leaf, index, size, hashes, head)

    assert not verify_inclusion(flipped(leaf, bit), index, size, hashes, head)
    assert not verify_inclusion(leaf, index, size, hashes, flipped(head, bit))
    at = data.draw(st.integers(0, len(hashes) - 1))
    damaged = [*hashes[:at], flipped(hashes[at], bit), *hashes[at + 1 :]]
    assert not verify_inclusion(leaf, index, size, damaged, head)
    other = data.draw(st.integers(0, size - 1).filter(lambda other: other != index))
    assert not verify_inclusion(leaf, other, size, hashes, head)
    assert not verify_inclusion(leaf_hash(entries[other]), index, size, hashes, head)


@settings(max_examples=60, deadline=None)
@given(size=SIZES, data=st.data())
def test_inclusion_fails_with_a_truncated_extended_or_reordered_proof(large, entries, size, data):
    index = data.draw(st.integers(0, size - 1))
    leaf, hashes, head = leaf_hash(entries[index]), inclusion_proof(large, index, size), root(large, size)
    for wrong in (hashes[:-1], hashes[1:], [*hashes, head], [leaf, *hashes], [*hashes, *hashes], []):
        assert not verify_inclusion(leaf, index, size, wrong, head)
    if len(hashes) > 1:
        assert not verify_inclusion(leaf, index, size, hashes[::-1], head)
    assert not verify_inclusion(leaf, index, size, [*hashes[:-1], hashes[-1] + b"\x00"], head)
    assert not verify_inclusion(leaf, index, size, [*hashes[:-1], hashes[-1][:31]], head)


@settings(max_examples=60, deadline=None)
@given(size=SIZES, other=SIZES, data=st.data())
def test_inclusion_against_the_root_of_another_size_fails(large, entries, size, other, data):
    index = data.draw(st.integers(0, size - 1))
    leaf, hashes = leaf_hash(entries[index]), inclusion_proof(large, index, size)
    assert verify_inclusion(leaf, index, size, hashes, root(large, other)) == (size == other)


def test_an_inner_node_cannot_pass_for_a_leaf(large, entries):
    hashes, head = inclusion_proof(large, 0, 8), root(large, 8)
    inner = node_hash(leaf_hash(entries[0]), leaf_hash(entries[1]))
    assert verify_inclusion(leaf_hash(entries[0]), 0, 8, hashes, head)
    assert not verify_inclusion(inner, 0, 8, hashes[1:], head)
    # The hashes do add up to that root in a tree of four leaves: only the size in the checkpoint stops it.
    assert verify_inclusion(inner, 0, 4, hashes[1:], head)


def test_the_only_leaf_of_a_tree_is_its_root(entries):
    leaf = leaf_hash(entries[0])
    assert verify_inclusion(leaf, 0, 1, [], leaf)
    assert not verify_inclusion(leaf, 0, 1, [leaf], leaf)
    assert not verify_inclusion(leaf, 0, 0, [], leaf)
    assert not verify_inclusion(leaf, 1, 1, [], leaf)


def test_a_leaf_beyond_the_end_of_the_tree_is_not_in_it(entries):
    first, second = leaf_hash(entries[0]), leaf_hash(entries[1])
    both = node_hash(first, second)
    assert verify_inclusion(second, 1, 2, [first], both)
    assert not verify_inclusion(second, 1, 1, [first], both)


def test_hashes_of_other_lengths_cannot_be_shifted_into_a_proof(entries):
    first, second = leaf_hash(entries[0]), leaf_hash(entries[1])
    both, joined = node_hash(first, second), first + second
    assert verify_inclusion(first, 0, 2, [second], both)
    # The same 64 bytes go into the node's hash, so that only the lengths tell.
    assert not verify_inclusion(joined[:31], 0, 2, [joined[31:]], both)
    assert not verify_inclusion(joined, 0, 2, [b""], both)
    assert not verify_consistency(1, 2, joined[:31], both, [joined[31:]])


def test_sizes_are_bounded(entries):
    leaf = head = leaf_hash(entries[0])
    hashes = [leaf_hash(b"%d" % height) for height in range(63)]
    for sibling in hashes:
        head = node_hash(head, sibling)
    assert verify_inclusion(leaf, 0, 2**63 - 1, hashes, head)
    assert not verify_inclusion(leaf, 0, 2**63, hashes, head)


def test_a_bool_is_no_number(entries):
    leaf = leaf_hash(entries[0])
    assert verify_inclusion(leaf, 0, 1, [], leaf)
    assert not verify_inclusion(leaf, 0, True, [], leaf)
    assert not verify_inclusion(leaf, False, 1, [], leaf)
    assert not verify_consistency(True, 1, leaf, leaf, [])


@settings(max_examples=60, deadline=None)
@given(size=SIZES, bit=st.integers(0, 255), data=st.data())
def test_consistency_fails_when_any_part_of_it_changes(large, size, bit, data):
    old = data.draw(st.integers(1, size - 1))
    hashes, old_root, head = consistency_proof(large, old, size), root(large, old), root(large, size)
    assert verify_consistency(old, size, old_root, head, hashes)

    assert not verify_consistency(old, size, flipped(old_root, bit), head, hashes)
    assert not verify_consistency(old, size, old_root, flipped(head, bit), hashes)
    assert not verify_consistency(old, size, head, old_root, hashes)
    assert not verify_consistency(size, old, head, old_root, hashes)
    at = data.draw(st.integers(0, len(hashes) - 1))
    damaged = [*hashes[:at], flipped(hashes[at], bit), *hashes[at + 1 :]]
    assert not verify_consistency(old, size, old_root, head, damaged)
    for wrong in (hashes[:-1], hashes[1:], [*hashes, head], [old_root, *hashes], [*hashes, *hashes], []):
        assert not verify_consistency(old, size, old_root, head, wrong)


@settings(max_examples=60, deadline=None)
@given(size=SIZES, data=st.data())
def test_consistency_with_the_root_of_another_old_size_fails(large, size, data):
    old = data.draw(st.integers(1, size - 1))
    other = data.draw(st.integers(1, size - 1).filter(lambda other: other != old))
    hashes, head = consistency_proof(large, old, size), root(large, size)
    assert not verify_consistency(old, size, root(large, other), head, hashes)
    assert not verify_consistency(other, size, root(large, other), head, hashes) or (
        hashes == consistency_proof(large, other, size)
    )


def test_a_tree_that_replaced_an_old_leaf_is_not_consistent(grow, entries):
    honest = grow(entries[:200])
    forged = grow([*entries[:50], b"x" * 32, *entries[51:400]])
    for old in (51, 64, 100, 128, 200):
        hashes = consistency_proof(forged, old, 400)
        assert verify_consistency(old, 400, root(forged, old), root(forged, 400), hashes)
        assert not verify_consistency(old, 400, root(honest, old), root(forged, 400), hashes)


def test_equal_sizes_with_unequal_roots_and_false_empty_roots_are_refused(large):
    one, two = root(large, 1), root(large, 2)
    assert not verify_consistency(2, 2, one, two, [])
    assert not verify_consistency(0, 2, one, two, [])
    assert not verify_consistency(0, 0, one, one, [])
    assert verify_consistency(0, 0, EMPTY_ROOT, EMPTY_ROOT, [])
    assert not verify_consistency(0, 2, EMPTY_ROOT, two, [one])
    assert not verify_consistency(2, 2, two, two, [one])


@settings(max_examples=300, deadline=None)
@given(st.tuples(JUNK, JUNK, JUNK, JUNK, JUNK))
def test_junk_of_any_type_is_refused_without_an_exception(junk):
    assert verify_inclusion(*junk) is False
    old, new, old_root, new_root, hashes = junk
    accepted = verify_consistency(old, new, old_root, new_root, hashes)
    assert accepted is False or (hashes == [] and (old_root == new_root or old == 0))


@pytest.mark.parametrize("size", [2**63, 2**64, 1 << 10_000, True, 8.0, "8", -8, None])
def test_sizes_that_are_no_sizes_are_refused(large, entries, size):
    hashes, head = inclusion_proof(large, 0, 8), root(large, 8)
    assert not verify_inclusion(leaf_hash(entries[0]), 0, size, hashes, head)
    assert not verify_inclusion(leaf_hash(entries[0]), size, 8, hashes, head)
    assert not verify_consistency(4, size, root(large, 4), head, consistency_proof(large, 4, 8))
    assert not verify_consistency(size, 8, root(large, 4), head, consistency_proof(large, 4, 8))


@pytest.mark.parametrize("hashes", [None, 7, "", b"", iter(()), {}, set(), [None], ["a" * 32], [[]]])
def test_proofs_that_are_no_lists_of_hashes_are_refused(entries, hashes):
    leaf = leaf_hash(entries[0])
    assert not verify_inclusion(leaf, 0, 1, hashes, leaf)
    assert not verify_inclusion(leaf, 0, 2, hashes, leaf)
    assert not verify_consistency(1, 2, leaf, leaf, hashes)
    assert not verify_consistency(1, 1, leaf, leaf, hashes)
