"""Paths of the public log: one path a resource, everything else unknown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.ledger.tiles import TilePath, decode_entries, encode_entries, format_path, parse_path, width_at

TILES = st.builds(
    TilePath,
    st.one_of(st.none(), st.integers(0, 63)),
    st.one_of(st.integers(0, 2_000_000), st.integers(0, 2**63 - 1)),
    st.integers(1, 256),
)


@pytest.mark.parametrize(
    ("path", "tile"),
    [
        ("tile/0/000", TilePath(0, 0)),
        ("tile/0/x001/x234/067", TilePath(0, 1_234_067)),
        ("tile/entries/x001/x234/067", TilePath(None, 1_234_067)),
        ("tile/1/x001/000.p/17", TilePath(1, 1000, 17)),
        ("tile/63/999.p/255", TilePath(63, 999, 255)),
        ("tile/entries/273.p/1", TilePath(None, 273, 1)),
    ],
)
def test_paths_are_written_in_groups_of_three_digits(path, tile):
    assert format_path(tile) == path
    assert parse_path(path) == tile


@given(TILES)
def test_every_resource_is_found_again_by_its_path(tile):
    assert parse_path(format_path(tile)) == tile


@given(TILES, st.data())
def test_a_path_with_one_character_changed_names_another_resource_or_none(tile, data):
    path = format_path(tile)
    at = data.draw(st.integers(0, len(path) - 1))
    changed = path[:at] + data.draw(st.characters()) + path[at + 1 :]
    assert (parse_path(changed) == tile) == (changed == path)


@given(st.one_of(st.text(), st.from_regex(r"tile/[0-9]{1,3}/(x[0-9]{3}/){0,8}[0-9]{3}(\.p/[0-9]{1,4})?")))
def test_what_parses_is_the_one_way_to_write_it(path):
    tile = parse_path(path)
    assert tile is None or format_path(tile) == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile",
        "tile/0",
        "tile/0/",
        "/tile/0/000",
        "tile/0/000/",
        "tile/0/000\n",
        "tile/00/000",
        "tile/01/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/+1/000",
        "tile/0/0",
        "tile/0/0000",
        "tile/0/x000/000",
        "tile/0/x000/x001/000",
        "tile/0/001/000",
        "tile/0/x001",
        "tile/0/X001/000",
        "tile/0/x01/000",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/257",
        "tile/0/000.p/05",
        "tile/0/000.p/",
        "tile/0/000.p",
        "tile/0/000.p/5/",
        "tile/0/000p/5",
        "tile/0/../000",
        "tile/0/٠٠٠",
        "tile/data/000",
        "tile/entries/",
        "tile/8/0/000",
        "tile/0/x999/x999/x999/x999/x999/x999/999",
        "tile/0/" + "x001/" * 10_000 + "001",
    ],
)
def test_any_other_spelling_is_no_path(path):
    assert parse_path(path) is None


@pytest.mark.parametrize(
    ("level", "position", "width"),
    [(64, 0, 1), (-1, 0, 1), (0, -1, 1), (0, 2**63, 1), (0, 0, 0), (0, 0, 257)],
)
def test_a_tile_that_cannot_be_is_an_error(level, position, width):
    with pytest.raises(ValueError, match="tile"):
        TilePath(level, position, width)


def test_widths_are_those_of_the_specifications_example():
    size = 70_000
    assert [width_at(TilePath(0, position), size) for position in (0, 272, 273, 274)] == [256, 256, 112, 0]
    assert [width_at(TilePath(1, position), size) for position in (0, 1, 2)] == [256, 17, 0]
    assert [width_at(TilePath(2, position), size) for position in (0, 1)] == [1, 0]
    assert width_at(TilePath(3, 0), size) == 0
    assert width_at(TilePath(None, 273), size) == 112
    assert width_at(TilePath(0, 0), 0) == 0


@pytest.mark.parametrize(("size", "widths"), [(255, (255, 0)), (256, (256, 1)), (257, (256, 1))])
def test_only_a_full_tile_stands_in_the_level_above(size, widths):
    assert (width_at(TilePath(0, 0), size), width_at(TilePath(1, 0), size)) == widths


def test_an_entry_stands_behind_its_length():
    assert encode_entries([b"abc", b"", b"d" * 258]) == b"\x00\x03abc\x00\x00\x01\x02" + b"d" * 258
    assert encode_entries([]) == b""


@given(st.lists(st.binary(max_size=300), max_size=256))
def test_entries_come_back_from_their_bundle(entries):
    assert decode_entries(encode_entries(entries)) == entries


@pytest.mark.parametrize("bundle", [b"\x00", b"\x00\x01", b"\x00\x02a", b"\x00\x01ab", b"\x00\x00" * 257])
def test_a_bundle_that_does_not_add_up_has_no_entries(bundle):
    assert decode_entries(bundle) is None


def test_an_entry_too_long_for_its_length_is_an_error():
    assert len(encode_entries([b"e" * 65_535])) == 65_537
    with pytest.raises(ValueError, match="65535"):
        encode_entries([b"e" * 65_536])
