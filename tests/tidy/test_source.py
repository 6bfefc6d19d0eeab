"""House rules that no linter knows. Each test names the lines that break its rule."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.tidy.sources import ROOT, hub_files, python_files, text_files, tree, where

FILE_LINES_MAX = 300
FUNCTION_LINES_MAX = 60

# Written in two parts, so that this file does not break its own rules.
UNFINISHED = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")
MACHINE_PATH = re.compile(r"(?<![\w.:/-])/(?:wo" r"rk|ro" r"ot|ho" r"me|Us" r"ers)/\w|[A-Z]:\\Us" r"ers\\")
REGISTRY = re.compile(
    r"pyp" r"i\.org|pythonho" r"sted\.org|npm" r"js\.(?:org|com)|artif" r"actory|index" r"-url|find" r"-links"
)

VAGUE_MODULES = {"util", "utils", "helper", "helpers", "common", "misc", "shared", "lib"}
VAGUE_WORDS = {"util", "utils", "helper", "helpers", "misc", "manager"}


def test_files_stay_short() -> None:
    long = [
        f"{where(path)}: {lines} lines"
        for path in python_files()
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > FILE_LINES_MAX
    ]
    assert not long, long


def test_functions_stay_short() -> None:
    long = [
        f"{where(path, node.lineno)}: {node.name} has {lines} lines"
        for path in python_files()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > FUNCTION_LINES_MAX
    ]
    assert not long, long


def test_no_module_is_named_after_nothing() -> None:
    vague = [
        where(path)
        for path in python_files()
        if VAGUE_MODULES & {part.lower() for part in path.relative_to(ROOT).with_suffix("").parts}
    ]
    assert not vague, vague


def test_no_class_or_function_is_named_after_nothing() -> None:
    vague = [
        f"{where(path, node.lineno)}: {node.name}"
        for path in hub_files()
        for node in ast.walk(tree(path))
        if (isinstance(node, ast.ClassDef) and node.name.endswith("Manager"))
        or (isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and _vague(node))
    ]
    assert not vague, vague


def _vague(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    if isinstance(node, ast.ClassDef):
        words = {word.lower() for word in re.findall(r"[A-Z][a-z]+", node.name)}
        return bool((VAGUE_WORDS - {"manager"}) & words)  # A network manager is a person of the domain.
    return bool((VAGUE_WORDS - {"manager"}) & set(node.name.split("_")))


def test_nothing_is_left_unfinished() -> None:
    assert not _matches(UNFINISHED)


def test_no_file_names_a_machine_or_a_registry() -> None:
    assert not _matches(MACHINE_PATH)
    assert not _matches(REGISTRY)


def _matches(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{where(path, number)}: {line.strip()[:120]}"
        for path in text_files()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if pattern.search(line)
    ]


def test_no_error_is_swallowed() -> None:
    swallowed = [where(path, line) for path in hub_files() for line in _swallowed(tree(path))]
    assert not swallowed, swallowed


def _swallowed(module: ast.Module) -> Iterator[int]:
    for node in ast.walk(module):
        if isinstance(node, ast.ExceptHandler):
            silent = all(isinstance(part, ast.Pass) or _is_constant(part) for part in node.body)
            acts = any(
                isinstance(inner, ast.Raise | ast.Call) for part in node.body for inner in ast.walk(part)
            )
            if node.type is None or silent or (_broad(node.type) and not acts):
                yield node.lineno
        if isinstance(node, ast.Call) and _name(node.func) == "suppress" and any(map(_broad, node.args)):
            yield node.lineno


def _is_constant(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _broad(caught: ast.expr) -> bool:
    kinds = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return any(_name(kind) in {"Exception", "BaseException"} for kind in kinds)


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def test_only_settings_read_the_environment() -> None:
    readers = [
        where(path, node.lineno)
        for path in hub_files()
        if path.name != "settings.py"
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute | ast.Name) and _name(node) in {"environ", "getenv"}
    ]
    assert not readers, readers


def test_every_client_of_the_tests_says_how_long_it_waits() -> None:
    """httpx gives up after 5 s unless told otherwise: less than a busy machine may stand still."""
    calls = {"AsyncClient", "Client", "delete", "get", "post", "put", "request", "stream"}
    hasty = [
        where(path, node.lineno)
        for path in python_files()
        if path.is_relative_to(ROOT / "tests")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call)
        if isinstance(node.func, ast.Attribute) and node.func.attr in calls
        if isinstance(node.func.value, ast.Name) and node.func.value.id == "httpx"
        if not {"timeout", "transport"} & {one.arg for one in node.keywords}
    ]
    assert not hasty, hasty
