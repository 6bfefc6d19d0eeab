"""Append, root and proofs against the RFC's own definitions and pymerkle."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymerkle import InmemoryTree

from hub.ledger.merkle import EMPTY_ROOT, leaf_hash, verify_consistency, verify_inclusion
from hub.ledger.tiles import TilePath, width_at
from hub.ledger.tree import TileFault, append, consistency_proof, inclusion_proof, root
from tests.ledger.rfc9162 import path, proof, tree_hash

BOUNDARIES = [255, 256, 257, 511, 512, 513, 65_535, 65_536, 65_537, 65_792, 65_793, 65_800]

# The leaves and roots of the test tree that Certificate Transparency logs and clients share.
CT_LEAVES = [
    bytes.fromhex(leaf)
    for leaf in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
CT_ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


@pytest.fixture(scope="module")
def oracle(entries):
    """pymerkle's tree of all entries."""
    tree = InmemoryTree()
    tree.append_entries(entries)
    return tree


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_of_the_certificate_transparency_test_tree(grow, size):
    storage = grow(CT_LEAVES, batch=3)
    assert root(storage, size).hex() == CT_ROOTS[size]


@settings(max_examples=60, deadline=None)
@given(size=st.integers(0, 600), batch=st.integers(1, 600), data=st.data())
def test_every_past_size_has_the_root_and_proofs_of_the_rfc(grow, entries, size, batch, data):
    storage = grow(entries[:size], batch)
    past = data.draw(st.integers(0, size))
    assert root(storage, past) == tree_hash(entries[:past])
    if past:
        leaf = data.draw(st.integers(0, past - 1))
        assert inclusion_proof(storage, leaf, past) == path(leaf, entries[:past])
        earlier = data.draw(st.integers(1, past))
        assert consistency_proof(storage, earlier, past) == proof(earlier, entries[:past])


def test_every_proof_in_small_trees_is_the_one_of_the_rfc_and_verifies(grow, entries):
    storage = grow(entries[:40], batch=7)
    for size in range(1, 41):
        head = root(storage, size)
        for leaf in range(size):
            hashes = inclusion_proof(storage, leaf, size)
            assert hashes == path(leaf, entries[:size])
            assert verify_inclusion(leaf_hash(entries[leaf]), leaf, size, hashes, head)
        for earlier in range(1, size + 1):
            hashes = consistency_proof(storage, earlier, size)
            assert hashes == proof(earlier, entries[:size])
            assert verify_consistency(earlier, size, root(storage, earlier), head, hashes)


@pytest.mark.parametrize("size", BOUNDARIES)
def test_roots_and_proofs_at_tile_boundaries_agree_with_pymerkle(large, entries, oracle, size):
    head = root(large, size)
    assert head == oracle.get_root(size)
    for leaf in {0, 1, 254, 255, 256, 257, size // 2, size - 2, size - 1} & set(range(size)):
        hashes = inclusion_proof(large, leaf, size)
        base, *siblings = oracle.prove_inclusion(leaf + 1, size).path
        assert hashes == siblings
        assert base == leaf_hash(entries[leaf])
        assert verify_inclusion(base, leaf, size, hashes, head)


@pytest.mark.parametrize("size", BOUNDARIES)
def test_trees_at_tile_boundaries_are_consistent_with_every_earlier_boundary(large, oracle, size):
    for earlier in [1, 2, 3, 128, *(boundary for boundary in BOUNDARIES if boundary <= size)]:
        hashes = consistency_proof(large, earlier, size)
        assert verify_consistency(earlier, size, oracle.get_root(earlier), oracle.get_root(size), hashes)


def test_an_equal_size_and_the_empty_tree_need_no_hashes(large):
    assert root(large, 0) == EMPTY_ROOT
    assert consistency_proof(large, 0, 300) == []
    assert consistency_proof(large, 300, 300) == []
    assert verify_consistency(0, 300, EMPTY_ROOT, root(large, 300), [])
    assert verify_consistency(300, 300, root(large, 300), root(large, 300), [])


@settings(max_examples=40, deadline=None)
@given(size=st.integers(0, 1300), batch=st.integers(1, 1300))
def test_stored_tiles_are_those_of_the_specification_however_they_were_batched(grow, entries, size, batch):
    tiles = grow(entries[:size], batch).tiles
    expected = {
        (level, position): width_at(TilePath(level, position), size)
        for level in range(3)
        for position in range(6)
        if width_at(TilePath(level, position), size)
    }
    assert {name: len(hashes) // 32 for name, hashes in tiles.items()} == expected
    for (level, position), hashes in tiles.items():
        span = 256**level
        start = (position * 256 + len(hashes) // 32 - 1) * span
        assert hashes[-32:] == tree_hash(entries[start : start + span])


def test_a_batch_writes_each_tile_once_and_reads_one_tile_a_level(grow, entries):
    storage = grow(entries[:300], batch=300)
    storage.reads.clear()
    storage.writes.clear()
    assert append(storage, 300, [leaf_hash(entry) for entry in entries[300:1000]]) == 1000
    assert storage.reads == [(0, 1), (1, 0)]
    assert storage.writes == [(0, 1), (0, 2), (0, 3), (1, 0)]


@pytest.mark.parametrize("prove", [inclusion_proof, consistency_proof])
def test_a_proof_reads_each_tile_it_needs_once(large, prove):
    large.reads.clear()
    prove(large, 1000, 65_800)
    assert sorted(large.reads) == [(0, 3), (0, 257), (1, 0), (1, 1)]


def test_an_empty_batch_changes_nothing(grow, entries):
    storage = grow(entries[:10])
    before = dict(storage.tiles)
    assert append(storage, 10, []) == 10
    assert storage.tiles == before


@pytest.mark.parametrize("size", [0, 9, 11, 255])
def test_append_at_another_size_than_the_stored_one_writes_nothing(grow, entries, size):
    storage = grow(entries[:10])
    before = dict(storage.tiles)
    with pytest.raises(TileFault, match="tile 0/0 holds 320 bytes"):
        append(storage, size, [leaf_hash(b"x")])
    assert storage.tiles == before


def test_a_hole_left_by_an_append_at_a_later_tile_is_found_by_the_root(grow, entries):
    storage = grow(entries[:10])
    append(storage, 256, [leaf_hash(b"x")])
    with pytest.raises(TileFault):
        root(storage, 257)


def test_a_size_beyond_what_is_stored_is_a_fault_not_a_wrong_answer(grow, entries):
    storage = grow(entries[:300])
    for size in (301, 512, 513, 70_000):
        with pytest.raises(TileFault):
            root(storage, size)
    with pytest.raises(TileFault):
        inclusion_proof(storage, 0, 400)
    with pytest.raises(TileFault):
        consistency_proof(storage, 10, 400)


@pytest.mark.parametrize("damage", [b"\x00" * 31, b"\x00" * 33, b"\x00" * 32 * 257])
def test_a_tile_that_is_no_row_of_hashes_is_a_fault(grow, entries, damage):
    storage = grow(entries[:3])
    storage.tiles[0, 0] = damage
    with pytest.raises(TileFault, match="not a row of hashes"):
        root(storage, 1)


def test_arguments_that_no_tree_can_have_are_errors(grow, entries):
    storage = grow(entries[:10])
    with pytest.raises(ValueError, match="size -1"):
        root(storage, -1)
    with pytest.raises(ValueError, match="size 9223372036854775808"):
        root(storage, 2**63)
    with pytest.raises(ValueError, match="no leaf 10"):
        inclusion_proof(storage, 10, 10)
    with pytest.raises(ValueError, match="no leaf -1"):
        inclusion_proof(storage, -1, 10)
    with pytest.raises(ValueError, match="no leaf 0"):
        inclusion_proof(storage, 0, 0)
    with pytest.raises(ValueError, match="no tree of size 6 within"):
        consistency_proof(storage, 6, 5)
    with pytest.raises(ValueError, match="no tree of size -1 within"):
        consistency_proof(storage, -1, 5)
    with pytest.raises(ValueError, match="32 bytes"):
        append(storage, 10, [b"short"])
    with pytest.raises(ValueError, match="size -1"):
        append(storage, -1, [])
