"""A firm is erased: its keys go, nothing is said of it any more, and every proof stands."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select

from hub.domain.opportunities import interest_referral_id, opportunity_id
from hub.domain.principal import Principal
from hub.domain.viewer import Viewer
from hub.domain.visits import signpost_referral_id
from hub.events.rebuild import rebuild
from hub.ledger import checkpoint, merkle, tree
from hub.store.engine import Store
from hub.store.entries import receipt_of
from hub.store.erasing import condemned, destroy
from hub.store.ledger import SqlTiles, newest_head
from hub.store.records import load_states
from hub.store.tables import inbox, leaf, subject_key
from hub.store.viewers import viewer_of
from tests.privacy.told import (
    CASE,
    EENS,
    KENTS,
    LATER_CASE,
    MANAGER,
    NORMANDS,
    NUMBER,
    OTHER,
    erase,
    erasure,
    folded_and_dead,
    keys,
    live,
    until_erased,
)
from tests.support.messages import EEN, NETWORK, NORMANDY, consent, event, firm, firm_id, referral, uuid_of
from tests.support.spine import OpenHub, Spine

AT = "2026-12-01"


async def test_keys_and_wire_id_are_gone_with_the_verdict_and_others_stay(spine: Spine) -> None:
    await live(spine)
    assert all((await keys(spine, firm_id(NUMBER)))[:2])
    await erase(spine)
    await until_erased(spine, firm_id(NUMBER))
    assert (await keys(spine, firm_id(NUMBER)))[:2] == (None, None)
    assert (await keys(spine, f"referral:{LATER_CASE}"))[:2] == (None, None)
    assert all((await keys(spine, firm_id(OTHER)))[:2])


async def test_whatever_comes_later_is_refused_and_makes_no_new_key(spine: Spine) -> None:
    await live(spine)
    await erase(spine)
    wire = {"sme_id": firm_id(NUMBER), "network": NETWORK}
    carousel = {**wire, "target_country": "FR", "institution": "College", "students": [], "on": AT}
    later = [
        (EENS, firm(EENS, NUMBER)),
        (KENTS, consent(KENTS, NUMBER, EEN, id_=uuid_of("later"))),
        (KENTS, event(KENTS, "visit.recorded", uuid_of("v"), {**wire, "on": AT, "kind": "review"})),
        (KENTS, referral(KENTS, NUMBER, uuid_of("later-case"), uuid_of("erased-consent"))),
        (NORMANDS, event(NORMANDS, "referral.resumed", CASE, {})),
        (KENTS, event(KENTS, "carousel-project.started", uuid_of("project"), carousel)),
        (MANAGER, erasure()),
    ]
    before = await spine.counts()
    assert {await spine.outcome(sender, message) for sender, message in later} == {"refused sme.erased"}
    assert (
        await spine.outcome(EENS, event(EENS, "referral.resumed", CASE, {})) == "refused referral.not_found"
    )
    after = await spine.counts()
    assert after["inbox"] == before["inbox"] + len(later) + 1, "each keeps its place in the ledger"
    assert after["subject_key"] == before["subject_key"]
    assert (await keys(spine, firm_id(NUMBER)))[:2] == (None, None)


async def test_text_on_a_referral_that_comes_to_an_erased_firm_goes_too(spine: Spine) -> None:
    late, theirs = uuid_of("requested-after-the-erasure"), uuid_of("of-another-firm")
    interest = interest_referral_id(opportunity_id(NORMANDY, "fair"), firm_id(NUMBER))
    signpost = signpost_referral_id(uuid_of("late-visit"), NORMANDY)
    await live(spine)
    fair = {"reference": "fair", "opportunity_type": "business-offer", "title": {"en": "Fair"}}
    fair |= {"country": "FR", "summary": {"en": "A fair"}, "published_on": AT}
    published = event(NORMANDS, "opportunity.published", opportunity_id(NORMANDY, "fair"), fair)
    assert await spine.outcome(NORMANDS, published) == "applied"
    for id_ in (late, theirs, interest, signpost):
        noted = event(NORMANDS, "referral.received", id_, {"note": "The owner told me on the ferry"})
        assert await spine.outcome(NORMANDS, noted) == "refused referral.not_found"
    other = consent(KENTS, OTHER, NORMANDY, id_=uuid_of("other-consent"))
    assert await spine.outcome(KENTS, other) == "applied"
    asked = referral(KENTS, OTHER, theirs, uuid_of("other-consent"))
    assert await spine.outcome(KENTS, asked) == "applied"
    await erase(spine)
    await until_erased(spine, firm_id(NUMBER))
    wire = {"sme_id": firm_id(NUMBER), "network": NETWORK}
    consented = {"consent_id": uuid_of("erased-consent")}
    visited = {"on": AT, "kind": "review", "signposted_to": [NORMANDY]}
    for message in (
        referral(KENTS, NUMBER, late, uuid_of("erased-consent")),
        referral(KENTS, NUMBER, theirs, uuid_of("erased-consent")),
        event(
            KENTS, "opportunity.interest-expressed", opportunity_id(NORMANDY, "fair"), {**wire, **consented}
        ),
        event(KENTS, "visit.recorded", uuid_of("late-visit"), {**wire, **visited}),
    ):
        assert await spine.outcome(KENTS, message) == "refused sme.erased"
    for id_ in (late, interest, signpost):
        assert (await keys(spine, f"referral:{id_}"))[:2] == (None, None)
        await until_erased(spine, f"referral:{id_}")
    assert all((await keys(spine, f"referral:{theirs}"))[:2]), "another firm's referral is not touched"


async def test_a_referral_that_comes_to_the_firm_while_it_is_being_erased_is_not_missed(
    open_backbone: OpenHub, tmp_path: Path
) -> None:
    await folded_and_dead(open_backbone, tmp_path / "hub")
    late = uuid_of("requested-in-between")
    hub = open_backbone(tmp_path / "hub")
    try:
        waiting = await hub.store.inspect(lambda conn: condemned(conn, hub.vault))
        async with hub.running(working=False):
            spine = Spine(hub)
            await spine.post(NORMANDS, event(NORMANDS, "referral.received", late, {"note": "On the ferry"}))
            await spine.post(KENTS, referral(KENTS, NUMBER, late, uuid_of("erased-consent")))
        assert all((await keys(Spine(hub), f"referral:{late}"))[:2])
        await hub.store.write(lambda conn: destroy(conn, hub.vault, waiting))
        assert await keys(Spine(hub), f"referral:{late}") == (None, None, None)
    finally:
        await hub.store.close()


async def test_a_refused_erasure_destroys_nothing(spine: Spine) -> None:
    await live(spine)
    assert await spine.outcome(MANAGER, erasure(number="99999999")) == "refused rule.violated"
    assert await spine.hub.eraser.step() == 0
    assert all((await keys(spine, firm_id(NUMBER)))[:2])


async def test_receipts_lose_their_salt_and_proofs_stand(spine: Spine) -> None:
    receipts = await live(spine)
    last = await erase(spine)
    await until_erased(spine, firm_id(NUMBER))
    store, vault = spine.hub.store, spine.hub.vault

    def told(conn: Any) -> list[dict[str, Any] | None]:
        def viewer(principal: Principal) -> Viewer:
            return viewer_of(conn, principal, datetime.now(UTC))

        seen = [receipt_of(conn, viewer(KENTS), vault, one.seq) for one in receipts]
        return [one for one in seen if one] + [receipt_of(conn, viewer(MANAGER), vault, last.seq)]

    found = await store.inspect(told)
    assert len(found) > 5
    assert {(one or {})["salt"] for one in found} == {None}
    leaves = await store.inspect(
        lambda conn: conn.execute(
            select(leaf.c.leaf_index, inbox.c.commitment).join(inbox, inbox.c.seq == leaf.c.seq)
        ).all()
    )

    def proven(conn: Any) -> list[bool]:
        head = newest_head(conn)
        assert head
        tiles = SqlTiles(conn)
        checkpoint.verify(head.note, checkpoint.verifier_key(spine.hub.ledger_origin, public))
        return [
            merkle.verify_inclusion(
                merkle.leaf_hash(commitment),
                index,
                head.size,
                tree.inclusion_proof(tiles, index, head.size),
                head.root,
            )
            for index, commitment in leaves
        ]

    public = spine.hub.ledger_key.public_key()
    assert set(await store.inspect(proven)) == {True}


async def test_the_read_model_holds_nothing_sealed_of_the_firm_and_folds_again_to_the_same(
    spine: Spine,
) -> None:
    await live(spine)
    surrogate = await surrogate_of(spine)
    assert "sealed." in await told_of(spine.hub.store, surrogate)
    await erase(spine)
    assert "sealed." not in await told_of(spine.hub.store, surrogate)
    rebuilt = await rebuild(spine.hub.store, by_lanes=spine.hub.kafka is not None)
    assert rebuilt.equal
    assert await spine.hub.eraser.step() == 0, "folding again condemns nobody anew"


async def surrogate_of(spine: Spine) -> str:
    digest = spine.hub.vault.subject_digest(firm_id(NUMBER))
    query = select(subject_key.c.surrogate).where(subject_key.c.digest == digest)
    return str(await spine.hub.store.inspect(lambda conn: conn.execute(query).scalar_one()))


async def told_of(store: Store, surrogate: str) -> str:
    """All that the read model says of a key."""
    states = await store.inspect(lambda conn: load_states(conn, [surrogate]))
    return json.dumps([one.model_dump_json() for one in states[surrogate].records.values()])


async def test_events_accepted_at_the_same_moment_neither_keep_nor_renew_the_key(spine: Spine) -> None:
    await live(spine)
    before = await spine.counts()
    storm = [(EENS, firm(EENS, NUMBER, employees=count)) for count in range(30)] + [
        (KENTS, firm(KENTS, NUMBER, employees=count)) for count in range(30)
    ]
    posts = [asyncio.ensure_future(spine.post(sender, message)) for sender, message in storm[:30]]
    erasing_post = asyncio.ensure_future(spine.post(MANAGER, erasure()))
    posts += [asyncio.ensure_future(spine.post(sender, message)) for sender, message in storm[30:]]
    receipts = [one for answer in await asyncio.gather(*posts) for one in answer]
    (erased,) = await erasing_post
    verdicts = await spine.verdicts([*receipts, erased])
    assert verdicts[-1] == "applied"
    after = {
        verdict for one, verdict in zip([*receipts, erased], verdicts, strict=True) if one.seq > erased.seq
    }
    assert after == {"refused sme.erased"}
    await until_erased(spine, firm_id(NUMBER))
    assert (await keys(spine, firm_id(NUMBER)))[:2] == (None, None)
    assert (await spine.counts())["subject_key"] == before["subject_key"]
