"""hub doctor: the settings in force."""

from __future__ import annotations

import re
from pathlib import Path

from rich.table import Table

from hub.cli.options import Json
from hub.cli.terminal import data, print_json
from hub.settings import Settings


def doctor(json_: Json = False) -> None:
    """List every setting, and what it is set to here."""
    settings = Settings()
    rows = [
        {
            "setting": f"HUB_{name.upper()}",
            "value": _shown(getattr(settings, name)),
            "description": member.description or "",
        }
        for name, member in Settings.model_fields.items()
    ]
    if json_:
        print_json(rows)
        return
    table = Table("setting", "value", "what it is")
    for row in rows:
        table.add_row(row["setting"], row["value"], row["description"])
    data.print(table)


def _shown(value: object) -> str:
    """A setting's value; folders as they are found from anywhere, passwords not at all."""
    if isinstance(value, str) and "://" in value:
        return re.sub(r"(?<=://)([^/@]*?):[^/]*@", r"\1:***@", value)
    if isinstance(value, Path):
        return f"{value.absolute()}{'' if value.exists() else ' (not there yet)'}"
    return str(value)
