"""The demo's hands: posts and queries over HTTP, each with its client's own token."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx

from hub.auth.client import TokenClient
from hub.cli.terminal import talk
from hub.connectors.session import HubSession


class Network:
    """The clients of credentials.json, each with its tokens."""

    def __init__(self, http: httpx.AsyncClient, credentials: dict[str, Any]) -> None:
        self.http, self._rows = http, {row["client_id"]: row for row in credentials["clients"]}
        self.base_url = str(credentials["issuer"])
        self._tokens = {
            name: TokenClient(
                http, row, issuer=self.base_url, token_endpoint=str(credentials["token_endpoint"])
            )
            for name, row in self._rows.items()
        }

    def session(self, client: str) -> HubSession:
        """A session for the importer."""
        return HubSession(
            self.http, self.base_url, self._tokens[client], str(self._rows[client]["source_prefix"])
        )

    async def post(self, client: str, type_: str, subject: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Post one event and wait for its verdict; {"event", "receipt"}. RuntimeError unless applied."""
        event = {
            "specversion": "1.0",
            "id": str(uuid4()),
            "source": f"{self._rows[client]['source_prefix']}demo",
            "type": type_,
            "subject": subject,
            "time": datetime.now(UTC).isoformat(timespec="seconds"),
            "datacontenttype": "application/json",
            "data": payload,
        }
        url = f"{self.base_url}/events"
        headers = await self._tokens[client].headers("POST", url)
        answer = await self.http.post(
            url,
            content=json.dumps(event),
            headers={**headers, "Content-Type": "application/cloudevents+json", "Prefer": "wait=10"},
        )
        receipt = answer.json().get("receipts", [{}])[0]
        if receipt.get("status") != "applied":
            raise RuntimeError(f"{type_} was not applied: {answer.status_code} {answer.text}")
        talk.print(f"  [dim]seq {receipt['seq']:>3}[/]  {client:<28} {type_.split('.', 1)[1]}")
        return {"event": event, "receipt": receipt}

    async def query(self, client: str | None, query: str, **variables: Any) -> Any:
        """Data of a GraphQL query; without a client as the public. RuntimeError when it has errors."""
        url = f"{self.base_url}/graphql"
        headers = await self._tokens[client].headers("POST", url) if client else {}
        answer = await self.http.post(url, json={"query": query, "variables": variables}, headers=headers)
        body = answer.json()
        if answer.status_code != 200 or body.get("errors"):
            raise RuntimeError(f"the query failed: {answer.status_code} {answer.text}")
        return body["data"]
