"""Settings of the process, read once from the environment (prefix KETTE_). Business settings are in
the setup file."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Bad values stop the start with the name of the variable."""

    model_config = SettingsConfigDict(env_prefix="KETTE_", frozen=True, extra="ignore")

    setup: Path | None = None
    database: str = "sqlite:///kette.db"
    host: str = "127.0.0.1"
    port: int = Field(default=8710, ge=1, le=65535)
    # What links in mails to staff start with; empty = http://host:port
    url: str = ""
    # Keys the digest by which orders of one customer are found; keep it secret and keep it.
    privacy_key: SecretStr = SecretStr("")
    mail_gateway_port: int = Field(default=0, ge=0, le=65535)  # 0 = no gateway
    mail_gateway_host: str = "127.0.0.1"
    # Lets an admin key move the service's clock forward. For demonstrations and tests only.
    sandbox_clock: bool = False
    max_body_bytes: int = 5_000_000
    log_json: bool = True
    tick_s: float = 1.0
    push: bool = True  # deliver due actions to subscribers; off = only the sweep fetches them
