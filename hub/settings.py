"""Settings from the environment: HUB_ and the upper-case name of the member."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """All that an operator can set; `hub doctor` lists it."""

    model_config = SettingsConfigDict(env_prefix="HUB_", frozen=True)

    data_dir: Path = Field(Path("var/hub"), description="Folder of the embedded databases and the keys.")
    database_url: str = Field(
        "", description="PostgreSQL, postgresql://user:password@host/name; empty: SQLite in the data folder."
    )
    kafka_bootstrap: str = Field(
        "", description="Apache Kafka, host:port and more after commas; empty: the embedded backbone."
    )
    kafka_security: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="How the hub speaks to Kafka; SASL is SCRAM-SHA-512."
    )
    kafka_username: str = Field("", description="The hub's own Kafka user, who may administer.")
    kafka_password_file: Path | None = Field(None, description="File with that user's password.")
    kafka_ca_file: Path | None = Field(None, description="Certificates that the brokers' are checked by.")
    kafka_partitions: int = Field(
        12, description="Partitions of each topic; fixed once made.", ge=1, le=1_000
    )
    kafka_replication: int = Field(
        0, description="Copies of each partition; 0: three, or as many as there are brokers.", ge=0, le=9
    )
    kafka_retention_days: int = Field(
        7, description="Days that topics keep events; the inbox keeps them for good.", ge=1, le=3_650
    )
    retention_years: int = Field(
        10, description="Years after which a firm that is quiet is due for erasure.", ge=1, le=100
    )
    quota_events_per_s: int = Field(
        20_000,
        description="Events a second that one partner may post to a process; 0: any.",
        ge=0,
        le=2**31 - 1,
    )
    quota_bytes_per_s: int = Field(
        64 * 1024**2,
        description="Bytes a second that one partner may post to a process; 0: any.",
        ge=0,
        le=2**31 - 1,
    )
    quota_cost_per_s: int = Field(
        200_000,
        description="Fields of GraphQL answers a second that one client may ask of a process; 0: any.",
        ge=0,
        le=2**31 - 1,
    )
    public_cost_per_s: int = Field(
        100_000,
        description="The same for everybody without a token, by address; 0: any.",
        ge=0,
        le=2**31 - 1,
    )
    dpop_nonce: Literal["offered", "required"] = Field(
        "offered",
        description="Whether DPoP proofs must have a nonce of the hub; one that they have must hold.",
    )
    quota_tokens_per_s: int = Field(
        200,
        description="Token requests a second that one client may make of a process; 0: any.",
        ge=0,
        le=2**24,
    )
    quota_failures_per_s: int = Field(
        20, description="Such requests a second that may prove nothing, by address; 0: any.", ge=0, le=2**24
    )
    trusted_proxies: str = Field(
        "", description="Addresses and networks whose X-Forwarded-For is believed, after commas; empty: none."
    )
    oidc_issuer: str = Field("", description="OpenID provider where people may sign in; empty: none.")
    oidc_client_id: str = Field("", description="The hub's client id there.")
    oidc_client_secret_file: Path | None = Field(None, description="File with its secret there.")
    oidc_second_factor: str = Field(
        "mfa", description="Values of acr or amr that say that a second factor was shown, after commas."
    )
    graphiql_mutations: bool = Field(
        False, description="Whether mutations may be sent from the page /graphiql."
    )
    work_port: int = Field(
        0, description="TCP port (loopback) for health and metrics of hub work; 0: none.", ge=0, le=65535
    )
    port: int = Field(8000, description="TCP port to listen on (loopback).", ge=0, le=65535)
    public_url: str = Field("", description="Issuer and audience of all tokens; no trailing slash.")
    ledger_origin: str = Field("", description="First line of every signed checkpoint.")
    keys_dir: Path = Field(Path(), description="Folder of the hub's keys; default in the data folder.")

    @field_validator("trusted_proxies")
    @classmethod
    def _are_addresses(cls, value: str) -> str:
        for one in filter(None, value.split(",")):
            ip_network(one.strip(), strict=False)
        return value

    @property
    def proxies(self) -> tuple[str, ...]:
        """The trusted proxies, one by one."""
        return tuple(one.strip() for one in self.trusted_proxies.split(",") if one.strip())

    def model_post_init(self, _context: object, /) -> None:
        """Fill what follows from other settings."""
        fill = object.__setattr__
        fill(self, "public_url", (self.public_url or f"http://127.0.0.1:{self.port}").rstrip("/"))
        fill(self, "ledger_origin", self.ledger_origin or f"{urlsplit(self.public_url).netloc}/ledger")
        fill(self, "keys_dir", self.keys_dir if self.keys_dir != Path() else self.data_dir / "keys")
