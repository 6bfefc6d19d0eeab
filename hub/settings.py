"""Settings from the environment: HUB_ and the upper-case name of the member."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """All that an operator can set; `hub doctor` lists it."""

    model_config = SettingsConfigDict(env_prefix="HUB_", frozen=True)

    data_dir: Path = Field(Path("var/hub"), description="Folder of the embedded databases and the keys.")
    port: int = Field(8000, description="TCP port to listen on (loopback).", ge=0, le=65535)
    public_url: str = Field("", description="Issuer and audience of all tokens; no trailing slash.")
    ledger_origin: str = Field("", description="First line of every signed checkpoint.")
    keys_dir: Path = Field(Path(), description="Folder of the hub's keys; default in the data folder.")

    def model_post_init(self, _context: object, /) -> None:
        """Fill what follows from other settings."""
        fill = object.__setattr__
        fill(self, "public_url", (self.public_url or f"http://127.0.0.1:{self.port}").rstrip("/"))
        fill(self, "ledger_origin", self.ledger_origin or f"{urlsplit(self.public_url).netloc}/ledger")
        fill(self, "keys_dir", self.keys_dir if self.keys_dir != Path() else self.data_dir / "keys")
