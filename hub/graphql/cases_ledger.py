"""The ledger in GraphQL: entries, their proofs, and receipts."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Hashable, Iterable, Mapping
from datetime import datetime
from enum import Enum
from typing import TypeVar

import strawberry
from sqlalchemy import Connection
from strawberry.dataloader import DataLoader

from hub.domain.refusal import Refusal as RefusalRecord
from hub.domain.values import parse_time
from hub.domain.viewer import Viewer
from hub.graphql.context import Info
from hub.graphql.declared import MEMBERS, requires, shown
from hub.graphql.pages import PageInfo, connection, is_counted
from hub.graphql.refusals import accepted
from hub.graphql.registry_types import Partner, partner_of
from hub.ledger.tree import inclusion_proof
from hub.store.entries import EntryView, find_entries, get_receipt
from hub.store.ledger import SqlTiles, newest_head
from hub.store.vault import Vault

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
Load = Callable[[Connection, Viewer, Vault, Iterable[K]], Mapping[K, V]]


async def batched(info: Info, load: Load[K, V], key: K) -> V | None:
    """What a function of the store gives for the key; all keys of a request are read together."""
    context = info.context
    loaders: dict[object, DataLoader[K, V | None]] = context.loaders.by_function

    async def load_all(keys: list[K]) -> list[V | None]:
        found = await context.read(lambda conn, viewer: load(conn, viewer, context.vault, keys))
        return [found.get(one) for one in keys]

    if load not in loaders:
        loaders[load] = DataLoader(load_all)
    return await loaders[load].load(key)


@strawberry.enum
class ReceiptStatus(Enum):
    """What became of an event."""

    PENDING = "pending"
    APPLIED = "applied"
    REFUSED = "refused"
    PARKED = "parked"


@strawberry.type
@shown(MEMBERS, {"events:read", "referrals:read"})
class Refusal:
    """Why an event changed nothing."""

    code: str
    message: str
    remedy: str


@strawberry.type
@shown(MEMBERS, {"events:read", "referrals:read"})
class InclusionProof:
    """Proof that an entry stands in the tree. hashes: base64, RFC 9162; checkpoint: the signed note."""

    leaf_index: int
    tree_size: int
    hashes: list[str]
    checkpoint: str


@strawberry.type
@shown(MEMBERS, {"events:read", "referrals:read"})
class LedgerEntry:
    """An accepted event; made by `entry_of`.

    seq: order of acceptance. leafIndex: place in the Merkle tree, null until sequenced. subject: null where
    it is a firm that the caller may not read. leafHash: base64.
    """

    slug: strawberry.Private[str | None]
    seq: int
    leaf_index: int | None
    type: str
    subject: str | None
    accepted_at: datetime
    time: datetime | None
    status: ReceiptStatus
    refusal: Refusal | None
    leaf_hash: str | None

    @strawberry.field
    async def partner(self, info: Info) -> Partner | None:
        """Its sender; null for the hub itself, for managers and for portals."""
        return await partner_of(info, self.slug) if self.slug else None

    @strawberry.field
    async def proof(self, info: Info) -> InclusionProof | None:
        """Its place in the newest signed tree; null until it has one."""
        return await batched(info, _proofs, self.leaf_index) if self.leaf_index is not None else None


def entry_of(view: EntryView) -> LedgerEntry:
    """An entry for GraphQL."""
    return LedgerEntry(
        slug=view.partner,
        seq=view.seq,
        leaf_index=view.leaf_index,
        type=view.type,
        subject=view.subject,
        accepted_at=parse_time(view.accepted_at),
        time=view.time,
        status=ReceiptStatus(view.status),
        refusal=_refusal_of(view.refusal),
        leaf_hash=view.leaf_hash,
    )


@strawberry.type
@shown(MEMBERS, {"events:read"})
class LedgerEdge:
    """An entry and its place in the list."""

    cursor: str
    node: LedgerEntry


@strawberry.type
@shown(MEMBERS, {"events:read"})
class LedgerConnection:
    """One page of entries, newest first."""

    nodes: list[LedgerEntry]
    edges: list[LedgerEdge]
    page_info: PageInfo
    total_count: int


@strawberry.type
@shown(MEMBERS, {"events:read"})
class Receipt:
    """What the sender and the parties check an event by. leafHash, salt: base64; salt null for all others."""

    seq: int
    status: ReceiptStatus
    refusal: Refusal | None
    accepted_at: datetime
    leaf_index: int | None
    leaf_hash: str | None
    salt: str | None
    subject: str | None


@strawberry.type
class LedgerQueries:
    """The fields on the ledger."""

    @requires(MEMBERS, {"events:read"})
    async def ledger(
        self, info: Info, first: int | None = 20, after: str | None = strawberry.UNSET
    ) -> LedgerConnection:
        """Entries that the caller sent or is a party to; with ledger:audit those of its networks."""
        context = info.context
        page = accepted(
            await context.read(
                lambda conn, viewer: find_entries(
                    conn,
                    viewer,
                    context.vault,
                    first=20 if first is None else first,
                    after=None if after is strawberry.UNSET else after,
                    counted=is_counted(info),
                )
            )
        )
        nodes = [entry_of(view) for view in page.nodes]
        return connection(LedgerConnection, LedgerEdge, page, nodes)

    @requires(MEMBERS, {"events:read"})
    async def receipt(self, info: Info, seq: int) -> Receipt | None:
        """The receipt of an event; null alike for one that is not there and one that is not the caller's."""
        context = info.context
        found = await context.read(lambda conn, viewer: get_receipt(conn, viewer, context.vault, seq))
        if found is None:
            return None
        view = found.entry
        return Receipt(
            seq=view.seq,
            status=ReceiptStatus(view.status),
            refusal=_refusal_of(view.refusal),
            accepted_at=parse_time(view.accepted_at),
            leaf_index=view.leaf_index,
            leaf_hash=view.leaf_hash,
            salt=found.salt,
            subject=view.subject,
        )


def _refusal_of(refusal: RefusalRecord | None) -> Refusal | None:
    if refusal is None:
        return None
    return Refusal(code=refusal.code, message=refusal.message, remedy=refusal.remedy)


def _proofs(
    conn: Connection, _viewer: Viewer, _vault: Vault, leaf_indexes: Iterable[int]
) -> dict[int, InclusionProof]:
    """Proofs against one checkpoint, the newest."""
    head, tiles = newest_head(conn), SqlTiles(conn)
    if head is None:
        return {}
    return {
        leaf: InclusionProof(
            leaf_index=leaf,
            tree_size=head.size,
            hashes=[b64encode(one).decode() for one in inclusion_proof(tiles, leaf, head.size)],
            checkpoint=head.note,
        )
        for leaf in leaf_indexes
        if leaf < head.size
    }
