"""A first program and a first command for a new client, with its own values in them."""

from __future__ import annotations

from pathlib import Path
from string import Template
from typing import Any, NamedTuple

HERE = Path(__file__).parent
PUBLISHES = frozenset({"events:publish", "catalogue:publish"})


class Example(NamedTuple):
    """python: a whole program, to be kept beside the row of credentials. curl: one command that uses it."""

    python: str
    curl: str


def example(row: dict[str, Any], hub: str) -> Example:
    """What the client of this row can run as it stands: its first event or, where it sends none, a query.

    hub: the public URL.
    """
    kind = "event" if row["partner"] and set(row["scopes"]) >= PUBLISHES else "query"
    values = {"client_id": row["client_id"], "hub": hub}
    return Example(_filled(("auth", kind), values), _filled((f"curl_{kind}",), values))


def first_steps(row: dict[str, Any], hub: str) -> str:
    """The example in words, each program between fences, for who has just seen the row."""
    name, one = row["client_id"], example(row, hub)
    return f"""
Keep the row above as {name}.json, for your eyes alone (umask 077), and this beside it as {name}.py:

```python
{one.python.strip()}
```

Run it: python {name}.py

The same with curl, once the program has run; it makes the headers, of which each is good for one request:

```sh
{one.curl.strip()}
```
"""


def _filled(names: tuple[str, ...], values: dict[str, str]) -> str:
    text = "".join((HERE / f"{name}.txt").read_text(encoding="utf-8") for name in names)
    return Template(text).substitute(values)
