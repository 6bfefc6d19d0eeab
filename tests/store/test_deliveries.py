"""What became of messages of partners' topics is forgotten in time, and never where to go on reading."""

from __future__ import annotations

from pathlib import Path

from hub.domain.refusal import Refusal
from hub.store.deliveries import (
    ACCEPTED,
    REFUSED,
    Delivery,
    Place,
    delivery_at,
    forget_deliveries,
    next_offset,
    save_deliveries,
)
from hub.store.engine import Store
from hub.store.vault import Vault

OLD, NEW = "2026-01-01T00:00:00.000Z", "2026-11-01T00:00:00.000Z"


async def test_the_last_of_each_partition_is_never_forgotten(store: Store, tmp_path: Path) -> None:
    vault = Vault(tmp_path / "keys")
    refusal = Refusal("payload.invalid", "it was wrong", "Mend it.")
    places = [Place("kent", "t", partition, offset) for partition in (0, 1) for offset in (3, 4, 5)]
    saved = [
        Delivery(one, REFUSED, NEW if one == Place("kent", "t", 1, 4) else OLD, refusal=refusal)
        for one in places
    ]
    await store.write(lambda conn: save_deliveries(conn, vault, saved))
    assert await store.write(lambda conn: forget_deliveries(conn, "2026-06-01", 100)) == 3
    left = [one for one in places if await store.inspect(lambda conn, one=one: delivery_at(conn, vault, one))]  # type: ignore[misc]
    assert left == [Place("kent", "t", 0, 5), Place("kent", "t", 1, 4), Place("kent", "t", 1, 5)]
    assert await store.inspect(lambda conn: next_offset(conn, "kent", "t", 0)) == 6


async def test_so_many_are_forgotten_at_once_and_the_rest_the_next_time(store: Store, tmp_path: Path) -> None:
    places = [Place(partner, "t", 0, offset) for partner in ("kent", "normandy") for offset in range(4)]
    saved = [Delivery(one, ACCEPTED, OLD, seqs=[1]) for one in places]
    await store.write(lambda conn: save_deliveries(conn, Vault(tmp_path / "keys"), saved))
    forgotten = [await store.write(lambda conn: forget_deliveries(conn, "2026-06-01", 4)) for _ in range(3)]
    assert forgotten == [4, 2, 0]
