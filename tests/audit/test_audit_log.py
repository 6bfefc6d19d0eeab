"""Who reads what of the audit log, filtered and in pages."""

from __future__ import annotations

from dataclasses import replace

from tests.audit.world import ASKER, SECOND, World
from tests.graphql.cases.world import NORTH, SOUTH, manager, partner

KENT, NORMANDY, MOLISE = (partner(slug) for slug in ("kent", "normandy", "molise"))


async def test_bound_auditor_reads_of_its_members_and_colleagues_and_the_actor_of_itself(
    world: World,
) -> None:
    world.auditor.refused(KENT, "scope.missing", "Query.sme")
    world.auditor.refused(MOLISE, "scope.missing", "Query.sme")
    await world.auditor._tell(world.auditor._refusals.take_due(world.now))
    await world.auditor.act(ASKER, "session.started")
    await world.settle()
    refused = "right.refused scope.missing"
    assert sorted(await world.acts(manager(NORTH))) == [refused, "session.started"]
    assert await world.acts(manager(SOUTH)) == [refused]
    assert sorted(await world.acts(manager())) == [refused, refused, "session.started"]
    assert await world.acts(KENT) == [refused]
    assert await world.acts(NORMANDY) == []
    assert await world.acts(replace(SECOND, scopes=SECOND.scopes - {"ledger:audit"})) == []


async def test_log_is_filtered_and_paged(world: World) -> None:
    query = """query($filter: AuditFilter, $first: Int, $after: String) {
      auditLog(filter: $filter, first: $first, after: $after) {
        totalCount pageInfo { hasNextPage endCursor } nodes { seq act } } }"""
    for act in ("session.started", "key.added", "session.ended"):
        world.later(seconds=10)
        await world.auditor.act(ASKER, act)  # type: ignore[arg-type]
    await world.settle()

    async def acts(**filter_: object) -> list[str]:
        page = (await world.ask(ASKER, query, filter=filter_))["auditLog"]
        assert page["totalCount"] == len(page["nodes"])
        return [one["act"] for one in page["nodes"]]

    assert await acts() == ["session.ended", "key.added", "session.started"]
    assert await acts(act=["key.added"]) == ["key.added"]
    assert await acts(actor=["person:nobody"]) == []
    assert await acts(outcome=["REFUSED"]) == []
    since = world.now.isoformat().replace("+00:00", "Z")
    assert await acts(since=since) == ["session.ended"]
    assert await acts(until=since) == ["key.added", "session.started"]
    first = (await world.ask(ASKER, query, first=2))["auditLog"]
    assert first["pageInfo"]["hasNextPage"]
    rest = (await world.ask(ASKER, query, first=2, after=first["pageInfo"]["endCursor"]))["auditLog"]
    assert [one["act"] for one in rest["nodes"]] == ["session.started"]
