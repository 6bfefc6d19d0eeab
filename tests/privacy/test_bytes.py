"""After an erasure every byte of every store and topic is searched, and every key tried on what is sealed."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import select

from deploy.local import LocalKafka, LocalPostgres
from hub.store.tables import inbox, subject_key
from hub.store.vault import NONCE_BYTES
from tests.privacy.told import KENTS, LATER_CASE, NUMBER, OTHER, PERSONAL, erase, keys, live
from tests.support.disguises import disguises
from tests.support.messages import firm_id, service
from tests.support.parts import DatabaseServer
from tests.support.spine import Production, Spine, embedded, running_spine

PUBLIC = "Valvegate Masterclass"
EMPTY = bytes(512)
GONE = [firm_id(NUMBER), f"referral:{LATER_CASE}"]


@dataclass(frozen=True, slots=True)
class Told:
    """A hub that was told the firm's life. folders: with all that its parts write."""

    spine: Spine
    folders: tuple[Path, ...]
    database_url: str = ""

    async def files(self) -> dict[str, bytes]:
        """Every file, by its name; what PostgreSQL has in memory is written first.

        Without other databases of the server, Kafka's indexes (numbers alone) and the empty space of logs.
        """
        base = "/base/"
        if self.database_url:
            connection = await asyncpg.connect(self.database_url)
            try:
                await connection.execute("CHECKPOINT")
                oid = await connection.fetchval(
                    "SELECT oid FROM pg_database WHERE datname = current_database()"
                )
                base = f"/base/{oid}/"
            finally:
                await connection.close()
        return {
            str(path): path.read_bytes().replace(EMPTY, b"")
            for folder in self.folders
            for path in folder.rglob("*")
            if path.is_file() and path.suffix not in (".index", ".timeindex")
            if "/base/" not in str(path) or base in str(path)
        }


@pytest.fixture(scope="module")
def own_parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Production, Path, Path]]:
    """PostgreSQL and Kafka of this module alone, with the folders that they write to."""
    database, log = tmp_path_factory.mktemp("postgres"), tmp_path_factory.mktemp("kafka")
    with LocalPostgres(database) as postgres, LocalKafka(log) as kafka:
        yield Production(DatabaseServer(postgres.url()), kafka.bootstrap), database, log


@asynccontextmanager
async def telling(folder: Path, own_parts: tuple[Production, Path, Path] | None) -> AsyncIterator[Told]:
    """A hub that is told everything personal, and one thing that is public."""
    data_dir = folder / "hub"
    production = own_parts[0] if own_parts else None
    async with running_spine(production.open_hub if production else embedded, data_dir) as spine:
        await live(spine)
        assert await spine.outcome(KENTS, service(KENTS, name={"en": PUBLIC})) == "applied"
        if own_parts is None:
            yield Told(spine, (data_dir,))
        else:
            url = spine.hub.settings.database_url
            yield Told(spine, (data_dir, *own_parts[1:]), url)


@pytest.fixture(params=["embedded", "production"])
async def told(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Told]:
    """The same on each backbone."""
    own = request.getfixturevalue("own_parts") if request.param == "production" else None
    async with telling(tmp_path, own) as story:
        yield story


def found(files: dict[str, bytes], *needles: bytes) -> list[str]:
    """Files that hold any of them."""
    return [name for name, content in files.items() if any(needle in content for needle in needles)]


async def test_no_byte_of_any_store_or_topic_says_who_the_firm_was(told: Told) -> None:
    await erase(told.spine)
    files = await told.files()
    assert not {what: where for what, text in PERSONAL.items() if (where := found(files, *disguises(text)))}


async def test_the_search_finds_in_every_store_and_topic_what_is_public(told: Told) -> None:
    where = found(await told.files(), *disguises(PUBLIC))
    wanted = ["hub.db", "read.db"]
    if told.database_url:
        wanted = ["/base/", "/pg_wal/", "hub.catalogue.v1-"]
    assert not [store for store in wanted if not any(store in name for name in where)]


async def test_no_file_of_the_database_holds_the_keys_any_more(told: Told) -> None:
    await _wait_for_files(told)
    before = {one: (await keys(told.spine, one))[:2] for one in GONE}
    needles = [part for pair in before.values() for part in pair if part]
    assert len(needles) == 2 * len(GONE)
    files = await told.files()
    assert all(found(files, needle) for needle in needles), "the search does not find keys"
    await erase(told.spine)
    # PostgreSQL's log keeps what was written until its files are used again: docs/privacy.md.
    left = [name for name in found(await told.files(), *needles) if "/pg_wal/" not in name]
    assert not left


async def _wait_for_files(told: Told) -> None:
    """Make the old rows lie in the file of the table, as they do in a hub that has run for a while."""
    if not told.database_url:
        await told.spine.hub.store.scrub()


async def test_what_is_sealed_opens_with_no_key_that_is_left(told: Told) -> None:
    surrogate = await _surrogate(told.spine, firm_id(NUMBER))
    assert await _opened(told.spine, surrogate), "nothing opens before the erasure: the search is wrong"
    await erase(told.spine)
    assert not await _opened(told.spine, surrogate)
    assert await _opened(told.spine, await _surrogate(told.spine, firm_id(OTHER)))


async def _surrogate(spine: Spine, wire_id: str) -> str:
    digest = spine.hub.vault.subject_digest(wire_id)
    query = select(subject_key.c.surrogate).where(subject_key.c.digest == digest)
    return str(await spine.hub.store.inspect(lambda conn: conn.execute(query).scalar_one()))


async def _opened(spine: Spine, surrogate: str) -> list[bytes]:
    """What opens of all that is sealed under the surrogate, by trying every key of the hub on it."""
    kek = AESGCM((spine.hub.settings.keys_dir / "kek").read_bytes())
    rows = await spine.hub.store.inspect(lambda conn: conn.execute(select(subject_key)).all())
    wrapped = [(row.surrogate, row.wrapped_key) for row in rows if row.wrapped_key]
    ciphers = [kek] + [AESGCM(_decrypted(kek, key, name) or b"") for name, key in wrapped]
    ciphers += [
        AESGCM(path.read_bytes())
        for path in spine.hub.settings.keys_dir.iterdir()
        if len(path.read_bytes()) == 32
    ]
    events = await spine.hub.store.inspect(lambda conn: conn.execute(select(inbox)).all())
    pattern = re.compile(rf"sealed\.{surrogate}\.([\w=-]+)")
    sealed = [base64.urlsafe_b64decode(one) for row in events for one in pattern.findall(row.event)]
    sealed += [row.salt for row in events if surrogate in json.loads(row.subjects)]
    assert sealed
    tried = [_decrypted(cipher, text, surrogate) for text in sealed for cipher in ciphers]
    return [clear for clear in tried if clear is not None]


def _decrypted(cipher: AESGCM, text: bytes, name: str) -> bytes | None:
    try:
        return cipher.decrypt(text[:NONCE_BYTES], text[NONCE_BYTES:], name.encode())
    except InvalidTag:
        return None
