"""Whatever answers are made of is selected through the one function that says who sees it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from hub.store.tables import truth
from tests.tidy.sources import ROOT, hub_files, tree, where

PRIVATE = {
    "record",
    "referral_row",
    "referral_party",
    "entry_party",
    "verdict",
    "inbox",
    "audit_row",
    "audit_reader",
}
ANSWERS = {
    "referrals.py",
    "firms.py",
    "entries.py",
    "entry_rights.py",
    "services.py",
    "opportunities.py",
    "audit.py",
    "breakglass.py",
}
"""Modules of the store that answers to callers are made by: each function there, see below."""
OTHERS = {
    "records.py": "states of keys, which folds and the visible_* functions judge",
    "viewers.py": "memberships of partners, which are public",
    "projection.py": "the projector's writes, and what it asks before them",
    "stakes.py": "writes",
    "parties.py": "writes",
    "inbox.py": "writes, and the way to the projector",
    "ledger.py": "commitments, which are public",
    "flow.py": "numbers of events, and how long the oldest waits",
    "parked.py": "for operators",
    "relay.py": "the way to the log",
    "row_security.py": "policies",
    "erasing.py": "which keys are to be destroyed",
    "exports.py": "copies of all that is held: whose they may be is asked before anything else",
    "retention.py": "for operators",
}
APART = {
    "people.py": {"person", "person_link", "person_recovery", "person_session", "oauth_client"},
    "sessions.py": {"person", "person_session", "sign_in_try"},
    "authorization_codes.py": {"oauth_code", "oauth_redirect", "person"},
    "clients.py": {"oauth_client", "oauth_client_key", "oauth_jti"},
    "standing.py": {"oauth_revoked"},
    "onboarding.py": {"application", "scope_request", "key_use", "oauth_client_key"},
    "vault.py": {"subject_key"},
    "erasing.py": {"subject_key", "reference"},
    "firms.py": {"subject_key"},
    "exports.py": {"subject_key"},
    "references.py": {"reference"},
    "inbox.py": {"identity"},
}
"""Who signs in, with what, whose keys seal what: one module asks, and no answer joins them."""
SELECTS = {"select", "_with_record", "_entries", "load_states", "states_of", "get_records"}
PARTS = {
    "visible_referrals": "is the condition",
    "visible_by_case": "is the condition",
    "visible_audit": "is the condition",
    "visible_entries": "is the condition",
    "visible_grants": "is the condition",
    "_with_record": "a statement without rows of its own: whoever takes it adds the condition",
    "_entries": "the same",
    "states_of": "whoever takes the states judges them",
    "_views": "of rows that were selected as visible; firms are judged again",
    "_known_firms": "compares the viewer's labels itself",
    "has_stake": "is the condition",
    "_is_known": "is the condition",
    "known_firm": "names a firm to those whose labels it compares",
    "newest_visible": "walks the labels that visible_entries compares",
    "count_visible": "counts them",
    "rows": "of labels that whoever takes it adds",
    "_listed": "of a filter: whoever takes it adds the labels",
    "_told": "the same",
    "_conditions": "of a filter, beside visible_offers",
    "forget_audited": "a write",
    "find_case": "judges the cases by the networks of the viewer, and tells nothing else",
    "verdict_on": "of an event that the caller has just recorded",
}


def _functions(module: ast.Module) -> Iterator[ast.FunctionDef]:
    return (node for node in module.body if isinstance(node, ast.FunctionDef))


def _called(function: ast.FunctionDef) -> set[str]:
    names = (node.func for node in ast.walk(function) if isinstance(node, ast.Call))
    return {name.id for name in names if isinstance(name, ast.Name)}


def _imported(module: ast.Module) -> set[str]:
    return {
        alias.name
        for node in ast.walk(module)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("hub.store.tables")
        for alias in node.names
    }


def test_private_tables_are_read_in_few_places_that_say_why() -> None:
    readers = {
        path.relative_to(ROOT / "hub").as_posix()
        for path in hub_files()
        if "tables" not in path.parts and _imported(tree(path)) & PRIVATE
    }
    allowed = {f"store/{name}" for name in (*ANSWERS, *OTHERS)}
    assert readers - allowed == set(), "read them through hub/store, by a viewer"
    assert {f"store/{name}" for name in OTHERS} <= readers


def test_people_clients_and_keys_are_read_by_their_own_modules() -> None:
    names = {name for tables in APART.values() for name in tables}
    found = {
        path.relative_to(ROOT / "hub").as_posix(): _imported(tree(path)) & names
        for path in hub_files()
        if "tables" not in path.parts and _imported(tree(path)) & names
    }
    assert found == {f"store/{name}": tables for name, tables in APART.items()}


def test_each_table_of_the_truth_has_readers_that_are_known() -> None:
    kept = {"leaf", "tile", "checkpoint", "relay", "delivery", "parked"}
    """The tree, which is public, and the flow of messages; rights of hub_reader end there as well."""
    known = PRIVATE.union(kept, *APART.values())
    assert {table.name for table in truth.sorted_tables} <= known


def test_what_answers_are_made_of_goes_through_the_function_of_its_noun() -> None:
    around, seen = [], 0
    for name in sorted(ANSWERS):
        path = ROOT / "hub" / "store" / name
        for function in _functions(tree(path)):
            called = _called(function)
            if not called & SELECTS or function.name in PARTS:
                continue
            seen += 1
            if not any(one.startswith("visible_") for one in called):
                around.append(f"{where(path, function.lineno)}: {function.name}")
    assert seen > 10
    assert not around, "ask a visible_* function, or say in PARTS why not"


def test_what_a_viewer_reads_is_read_under_the_policies() -> None:
    unfiltered = [
        where(path, node.lineno)
        for path in hub_files()
        if path.name != "privacy.py"  # The export gives all that is held on a firm, by a scope of its own.
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "inspect"
        if any(isinstance(one, ast.Name) and one.id == "viewer_of" for one in ast.walk(node))
    ]
    assert not unfiltered, "Store.inspect sees every row: answer a viewer by Store.read"
