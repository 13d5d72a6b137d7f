"""Settings from the environment, read once, by the roof. `docs/settings.md` explains each to an operator."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time
from pathlib import Path
from typing import Annotated, Any

from platformdirs import user_data_path
from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

SHORTEST_TOKEN_KEY = 32
_URL = Annotated[str, Field(pattern=r"^postgres(ql)?://")]


class SettingsUnusable(ValueError):
    """A setting is missing or wrong; the message says which, and how to mend it."""


class Settings(BaseSettings):
    """What an installation decides. Every field is an environment variable of the same name in capitals."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True)

    database_url: _URL | None = Field(
        None, description="PostgreSQL as the login settlement_app. Unset: the embedded server."
    )
    database_owner_url: _URL | None = Field(
        None, description="The same database as settlement_owner; only `settlement db upgrade` uses it."
    )
    database_ops_url: _URL | None = Field(
        None, description="The same database as settlement_ops; the worker and `settlement doctor` use it."
    )
    database_pool_size: int = Field(10, ge=1, le=200, description="Connections per process.")
    settlement_data_dir: Path = Field(
        default_factory=lambda: user_data_path("settlement"),
        description="Where the embedded server, its key file and the demo live.",
    )
    settlement_database_name: str = Field(
        "settlement", pattern=r"^[a-z][a-z0-9_]{0,40}$", description="Database of the embedded server."
    )
    settlement_key_file: Path | None = Field(
        None, description="File with the keys that seal identities (`settlement db keygen`). Embedded: made by itself."
    )
    settlement_token_key: SecretStr | None = Field(
        None, description="Secret of at least 32 characters that signs tokens. Embedded: made by itself."
    )
    settlement_token_seconds: int = Field(600, ge=60, le=3600, description="How long an access token is good for.")
    settlement_profiles: Path | None = Field(
        None, description="Folder with gateway profiles of your own (TOML), looked into before those shipped."
    )
    settlement_host: str = Field("127.0.0.1", description="Address that `settlement serve` listens on.")
    settlement_port: int = Field(8000, ge=0, le=65535, description="Port that `settlement serve` listens on.")
    settlement_message_days: int = Field(
        180, ge=1, le=3650, description="Days after which a sealed raw message is dropped."
    )
    settlement_hold_minutes: int = Field(
        30, ge=1, le=1440, description="Minutes for which a quote with `hold` stands unused."
    )
    settlement_quotes_at_once: int = Field(
        5, ge=1, le=200, description="Quotes that one process answers at once; more are refused as `overloaded`."
    )
    settlement_commands_at_once: int = Field(
        400, ge=1, le=10_000, description="Settlements and other commands that one process has in flight at once."
    )
    settlement_books_close_at: time = Field(
        time(0, 30), description="Hour in China, such as 00:30, at which the worker closes each fund's books day."
    )
    settlement_seal_key_file: Path | None = Field(
        None, description="File with the private key that seals closed books days (`settlement seal new-key`)."
    )
    settlement_seal_public_keys: Path | None = Field(
        None, description="File with the public keys by which `settlement doctor` and the dashboard verify seals."
    )
    settlement_log_level: str = Field(
        "info", pattern=r"^(debug|info|warning|error)$", description="Least level logged."
    )

    @model_validator(mode="after")
    def _server_of_ones_own_needs_its_secrets(self) -> Settings:
        if self.database_url is None:
            return self
        if self.settlement_key_file is None:
            raise ValueError(
                "SETTLEMENT_KEY_FILE must be set beside DATABASE_URL; `settlement db keygen FILE` makes one"
            )
        if self.settlement_token_key is None:
            raise ValueError("SETTLEMENT_TOKEN_KEY must be set beside DATABASE_URL, to at least 32 random characters")
        return self

    @model_validator(mode="after")
    def _books_close_by_the_clock_of_china(self) -> Settings:
        if self.settlement_books_close_at.tzinfo is not None:
            raise ValueError("SETTLEMENT_BOOKS_CLOSE_AT is an hour in China, without a zone")
        return self

    @model_validator(mode="after")
    def _token_key_is_long_enough(self) -> Settings:
        key = self.settlement_token_key
        if key is not None and len(key.get_secret_value()) < SHORTEST_TOKEN_KEY:
            raise ValueError(f"SETTLEMENT_TOKEN_KEY is too short; use at least {SHORTEST_TOKEN_KEY} random characters")
        return self


def read_settings(**overrides: Any) -> Settings:
    """Read the environment; `overrides` are what a command line says instead.

    Raises `SettingsUnusable` with one sentence per wrong setting. A value is never repeated: it may be a secret.
    """
    try:
        return Settings(**overrides)
    except ValidationError as refused:
        sentences = [_sentence(dict(error)) for error in refused.errors(include_input=False, include_url=False)]
        raise SettingsUnusable("\n".join(sentences)) from None


def _sentence(error: Mapping[str, Any]) -> str:
    """Say which setting is wrong, how, and what it is for."""
    said = str(error["msg"]).removeprefix("Value error, ")
    if not error["loc"]:
        return f"{said}."
    name = str(error["loc"][0])
    return f"{name.upper()} cannot be used: {said}. It is: {Settings.model_fields[name].description}"
