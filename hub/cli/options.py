"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
AlreadyJson = Annotated[bool, typer.Option("--json", help="Prints JSON in any case.")]
Scope = Annotated[list[str], typer.Option(help="A scope of the grant; the defaults unless given.")]
PublicKey = Annotated[Path | None, typer.Option(help="JWK file of the client's own public key.")]
Bearer = Annotated[bool, typer.Option("--bearer", help="Waive DPoP for this client; the waiver is kept.")]
