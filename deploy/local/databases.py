"""Databases on any server of PostgreSQL 15 or newer: made and dropped by its URL, with psql."""

from __future__ import annotations

import re
import subprocess
from urllib.parse import urlsplit, urlunsplit

from deploy.local.child import PartFailed
from deploy.local.programs import postgres_environment, program

NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")
STATEMENT_S = 60.0

# Rows sort by code point, letters fold by Unicode. From version 17 on PostgreSQL knows that locale itself;
# before, the system has to.
CREATE = """
SELECT :SERVER_VERSION_NUM >= 170000 AS knows_unicode \\gset
\\if :knows_unicode
  CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'
    LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LC_COLLATE 'C' LC_CTYPE 'C';
\\else
  CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C.UTF-8';
\\endif
"""


def create_database(server_url: str, name: str) -> str:
    """URL of a new, empty database: UTF-8, LC_COLLATE "C", from template0, owned by the URL's user.

    server_url: of any database of the server. name: lower case letters, digits and underscores, else
    ValueError. PartFailed with what the server says, for instance that there is one of that name.
    """
    _psql(server_url, CREATE.format(name=_checked(name)))
    return urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))


def drop_database(server_url: str, name: str) -> None:
    """Drop a database, if there is one of that name, and the connections to it."""
    _psql(server_url, f"DROP DATABASE IF EXISTS {_checked(name)} WITH (FORCE)")


def _checked(name: str) -> str:
    if not NAME.fullmatch(name):
        raise ValueError(f"not a name for a database here: {name!r}")
    return name


def _psql(server_url: str, script: str) -> None:
    # A URL of SQLAlchemy may name its driver: postgresql+asyncpg.
    address = re.sub(r"^(postgres(?:ql)?)\+\w+:", r"\1:", server_url)
    try:
        done = subprocess.run(
            [program("psql"), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", f"--dbname={address}"],
            input=script,
            env=postgres_environment(),
            capture_output=True,
            text=True,
            timeout=STATEMENT_S,
        )
    except subprocess.TimeoutExpired:
        raise PartFailed(f"the database server gave no answer within {STATEMENT_S:g} s") from None
    if done.returncode:
        raise PartFailed(f"the database server refuses: {done.stderr.strip()}")
