"""The gateway profile: how this city's insurer writes its bills, and how we may ask it. Read from a TOML file."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Collection, Mapping
from datetime import timedelta
from importlib import resources
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from settlement.domain.pending import Patience
from settlement.domain.scope import LiabilityPolicy, PersonCategory, ScopeReason, ScopeRules
from settlement.gateway.messages import SettlementNode

Signed = Literal["provider_absorbed", "hifp", "cvlserv", "hifes", "hifmi", "hifob", "hifdm", "maf", "oth", "unnamed"]
"""The amounts that can be negative on a live bill: packages give a fund above the bill or a negative hospital share."""

Authentication = Literal["none", "apikey", "x-tif"]

ASKED = ("1101", "5201", "5203", "5204", "9001")
"""The transactions that we send, and no others."""


class ProfileError(ValueError):
    """A profile that cannot be used; the message says how to mend it."""


class GatewayProfile(BaseModel):
    """One city's profile. Each key is explained in docs/gateway.md 7.

    Secrets are not in it: `*_variable` are names of environment variables, whose values the roof hands to the client.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1)

    insured_areas: tuple[str, ...] = Field(min_length=1)
    account_money_in_fund_total: bool
    family_account: Literal["inside", "beside"]
    negative_allowed: tuple[Signed, ...] = ()
    aliases: Mapping[str, tuple[str, ...]] = {}
    system_codes: Mapping[str, ScopeReason] = {}
    liability: LiabilityPolicy = LiabilityPolicy.HOLD

    union_aid_codes: tuple[str, ...] = ()
    union_aid_words: tuple[str, ...] = ("互助", "工会")
    statutory_words: tuple[str, ...] = ("大额医疗互助", "大额互助", "大病互助")

    url: str | None = None
    paths: Mapping[str, str] = {}
    connect_timeout_seconds: float = Field(default=10, gt=0)
    answer_timeout_seconds: float = Field(default=30, gt=0)

    slow_answer_seconds: float = Field(default=10, gt=0)
    breaker_failures: int = Field(default=5, gt=0)
    breaker_rest_seconds: float = Field(default=15, gt=0)
    asked_at_once: int = Field(default=64, gt=0)

    longest_upstream_seconds: float = Field(default=180, gt=0)
    pending_first_pause_seconds: float = Field(default=30, gt=0)
    pending_longest_pause_seconds: float = Field(default=1800, gt=0)
    pending_deadline_seconds: float = Field(default=172_800, gt=0)

    authentication: Authentication = "none"
    apikey_variable: str | None = None
    tif_paasid_variable: str | None = None
    tif_secret_variable: str | None = None

    recer_sys_code: str = ""
    infver: str = "V1.0"
    opter_type: Literal["1", "2", "3"] = "1"
    opter: str = ""
    opter_name: str = ""
    fixmedins_code: str = ""
    fixmedins_name: str = ""
    serial_first: int = Field(default=9000, ge=0, le=9999)
    serial_last: int = Field(default=9999, ge=0, le=9999)

    sign_in: bool = True
    sign_in_mac: str = ""
    sign_in_ip: str = ""

    not_found_texts: tuple[str, ...] = ("未查询到",)
    refusal_texts: tuple[str, ...] = ("该参保人的基本信息为空", "未查询到任何有效相关的记录")
    stale_sign_in_texts: tuple[str, ...] = ("未签到", "签到编号无效", "签到已失效", "请先签到", "请重新签到")
    duplicate_message_texts: tuple[str, ...] = ("报文ID重复", "报文重复")

    @field_validator("aliases")
    @classmethod
    def _aliases_name_fields(cls, aliases: Mapping[str, tuple[str, ...]]) -> Mapping[str, tuple[str, ...]]:
        for name in aliases:
            if name not in SettlementNode.model_fields:
                raise ValueError(f"`{name}` is not a field of setlinfo; write the specification's name on the left")
        return aliases

    @field_validator("paths")
    @classmethod
    def _paths_name_questions(cls, paths: Mapping[str, str]) -> Mapping[str, str]:
        for infno in paths:
            if infno not in ASKED:
                raise ValueError(f"`{infno}` is never sent; keep only {', '.join(ASKED)}")
        return paths

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        if self.serial_first > self.serial_last:
            raise ValueError("`serial_first` is above `serial_last`; write the agreed range, for example 9000 to 9999")
        needed = _variables_needed(self.authentication)
        absent = [key for key in needed if not getattr(self, key)]
        if absent:
            keys = " and ".join(f"`{key}`" for key in absent)
            raise ValueError(f"`authentication` is {self.authentication}: add {keys}, the name of the variable")
        if self.paths and self.url and "{infno}" in self.url:
            raise ValueError("`url` has {infno} and `paths` is given as well; keep one of them")
        return self

    def with_url(self, url: str) -> GatewayProfile:
        """Return the same profile at another address."""
        return self.model_copy(update={"url": url})

    def url_for(self, infno: str) -> str | None:
        """Return where a transaction is posted: one URL, a template with `{infno}`, or the URL and a path."""
        if self.url is None or (self.paths and infno not in self.paths):
            return None
        return self.url.rstrip("/") + self.paths[infno] if self.paths else self.url.replace("{infno}", infno)

    def missing_to_ask(self, secrets: Mapping[str, str]) -> tuple[str, ...]:
        """Return the keys and variables without which we may not ask; nothing missing means that we can.

        `secrets` is the environment or a part of it. Credentials are issued by the bureau to this service: where it
        issued none, bills are brought or pushed, never fetched.
        """
        keys = ("url", "recer_sys_code", "opter", "opter_name", "fixmedins_code", "fixmedins_name")
        absent = [key for key in keys if not getattr(self, key)]
        variables = [getattr(self, key) for key in _variables_needed(self.authentication)]
        return (*absent, *(variable for variable in variables if not secrets.get(variable)))

    def says_not_found(self, refusal: str) -> bool:
        """Say whether a refusal's text means that there is no such record, as far as the insurer knows now."""
        return any(text in refusal for text in self.not_found_texts)

    @property
    def patience(self) -> Patience:
        """How long what is pending is asked about here."""
        return Patience(
            first_pause=timedelta(seconds=self.pending_first_pause_seconds),
            longest_pause=timedelta(seconds=self.pending_longest_pause_seconds),
            longest_upstream=timedelta(seconds=self.longest_upstream_seconds),
            deadline=timedelta(seconds=self.pending_deadline_seconds),
        )

    @property
    def longest_question_seconds(self) -> float:
        """How long one question can take: two messages, and a sign-in before each."""
        return 4 * (self.connect_timeout_seconds + self.answer_timeout_seconds)

    def scope_rules(
        self, *, insurance_types: Collection[str], person_categories: Collection[PersonCategory]
    ) -> ScopeRules:
        """Return the scope table's rules: the city's from here, the plan's as given."""
        return ScopeRules(self.insured_areas, self.system_codes, insurance_types, person_categories, self.liability)


def load_profile(path_or_name: str | Path) -> GatewayProfile:
    """Load a profile from a TOML file, or one that we ship by its bare name. Raises `ProfileError`."""
    shipped = resources.files("settlement.gateway") / "profiles"
    bare = isinstance(path_or_name, str) and not {"/", "\\", "."} & set(path_or_name)
    source = shipped / f"{path_or_name}.toml" if bare else Path(path_or_name)
    try:
        content = tomllib.loads(source.read_text(encoding="utf-8"))
    except FileNotFoundError:
        names = ", ".join(sorted(entry.name.removesuffix(".toml") for entry in shipped.iterdir()))
        raise ProfileError(f"There is no profile {path_or_name}. Name a TOML file, or one of: {names}.") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ProfileError(f"Profile {path_or_name} cannot be read as TOML: {error}. Mend the file.") from None
    try:
        return GatewayProfile.model_validate(content)
    except ValidationError as error:
        raise ProfileError(_sentences(str(path_or_name), error)) from None


def _variables_needed(authentication: Authentication) -> tuple[str, ...]:
    return {
        "none": (),
        "apikey": ("apikey_variable",),
        "x-tif": ("tif_paasid_variable", "tif_secret_variable"),
    }[authentication]


def _sentences(source: str, error: ValidationError) -> str:
    return f"Profile {source}: " + " ".join(_sentence(dict(problem)) for problem in error.errors(include_url=False))


def _sentence(problem: Mapping[str, Any]) -> str:
    key = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "missing":
        return f"`{key}` is missing; add it."
    if problem["type"] == "extra_forbidden":
        close = difflib.get_close_matches(key, GatewayProfile.model_fields, n=1)
        return f"`{key}` is not a key of a profile; " + (f"did you mean `{close[0]}`?" if close else "remove it.")
    said = str(problem["msg"]).removeprefix("Value error, ")
    return f"{said}." if problem["type"] == "value_error" else f"`{key}` is {problem['input']!r}: {said}."
