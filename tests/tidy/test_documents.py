"""Whatever has a name that clients rely on is explained in docs, and docs explain nothing else."""

from __future__ import annotations

import ast
import re

from hub.domain.scopes import DEFAULT_SCOPES, SCOPES, Audience
from hub.settings import Settings
from hub.store.tables import read, truth
from tests.tidy.sources import ROOT, hub_files, table, tree

ERROR_CODE = re.compile(r"[a-z]+(_[a-z]+)*\.[a-z]+(_[a-z]+)*")
#: Calls that are given a code: those that make or pass on a "no".
REFUSING = re.compile(r"refus|problem|fault|error|failed", re.IGNORECASE)


def test_every_setting_is_documented() -> None:
    assert set(table("settings.md")) == {f"HUB_{name.upper()}" for name in Settings.model_fields}


def test_every_scope_is_documented() -> None:
    assert set(table("scopes.md")) == SCOPES


def test_documented_default_scopes_are_those_that_clients_get() -> None:
    documented = table("scopes.md")
    for column, audience in enumerate((Audience.PARTNER, Audience.MANAGER, Audience.PORTAL), start=-3):
        granted = {scope for scope, cells in documented.items() if cells[column] == "yes"}
        assert granted == set(DEFAULT_SCOPES[audience]), audience


def test_every_error_code_in_the_source_is_documented() -> None:
    used = {code for path in hub_files() for code in _error_codes(tree(path))}
    assert used, "no code was found: the test looks in the wrong place"
    assert not used - set(table("errors.md"))


def test_every_documented_error_code_is_in_the_source() -> None:
    written = {
        one.value
        for path in hub_files()
        for one in ast.walk(tree(path))
        if isinstance(one, ast.Constant) and isinstance(one.value, str)
    }
    assert not set(table("errors.md")) - written


def test_every_error_code_has_a_meaning_and_a_remedy() -> None:
    for code, (answered, meaning, remedy) in table("errors.md").items():
        assert ERROR_CODE.fullmatch(code), code
        assert re.fullmatch(r"verdict|page|command(, receipt)?|[45]\d\d(, [45]\d\d)*", answered), code
        assert meaning.endswith("."), code
        assert remedy.endswith("."), code


def test_every_event_type_is_documented() -> None:
    from hub.domain.registry import EVENTS

    assert set(table("events.md")) == set(EVENTS)


def test_every_table_is_documented() -> None:
    for file, tables in (("hub.db", truth.tables.values()), ("read.db", read.tables.values())):
        _schema, holds, _lost = table("architecture.md")[file]
        plain = re.sub(r"\([^)]*\)|\b\w+:", "", holds)
        assert {name.strip() for name in re.split("[,;]", plain)} == {one.name for one in tables}, file


def test_every_act_of_the_audit_log_is_documented() -> None:
    from hub.domain.audit import ACTS

    assert set(table("audit.md")) == set(ACTS)


def test_every_act_of_the_audit_log_is_recorded_somewhere() -> None:
    from hub.domain.audit import ACTS

    where_named = ROOT / "hub" / "domain" / "audit.py"
    recorded = {
        node.value
        for path in hub_files()
        if path != where_named
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert not set(ACTS) - recorded


def _error_codes(module: ast.Module) -> set[str]:
    """Literals that look like a code and are passed on as one: to a refusal, to a problem, as `code`."""
    found = set()
    for node in ast.walk(module):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            given = [keyword.value for keyword in node.keywords if keyword.arg == "code"]
            if REFUSING.search(name):
                given += node.args
            found |= {
                literal.value
                for literal in given
                if isinstance(literal, ast.Constant) and isinstance(literal.value, str)
                if ERROR_CODE.fullmatch(literal.value)
            }
    return found


def test_documents_that_the_source_names_exist() -> None:
    named = {
        (path.name, name)
        for path in hub_files()
        for name in re.findall(r"\bdocs/[\w./-]+\.md", path.read_text(encoding="utf-8"))
    }
    assert named
    assert not {(where, name) for where, name in named if not (ROOT / name).exists()}
