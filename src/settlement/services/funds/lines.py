"""The lines to the funds' insurers, one client per fund, opened when first needed and closed by the roof."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Mapping

from settlement.domain.ids import FundId
from settlement.domain.time import Clock
from settlement.gateway.client import GatewayClient, open_line
from settlement.services.funds.rules import FundRules


class Lines:
    """Keeps a gateway client per fund. `credentials` are the variables that profiles name, issued by the bureau."""

    def __init__(self, credentials: Mapping[str, str], clock: Clock) -> None:
        self._credentials = credentials
        self._clock = clock
        self._clients: dict[FundId, GatewayClient] = {}

    def to(self, rules: FundRules) -> GatewayClient:
        """Return the client that asks this fund's insurer."""
        known = self._clients.get(rules.fund.fund_id)
        if known is not None and known.profile is rules.profile:
            return known
        client = GatewayClient(
            rules.profile,
            open_line(rules.profile),
            self._credentials,
            self._clock,
            itertools.count(secrets.randbelow(1000)).__next__,
            lambda: secrets.token_hex(16),
        )
        self._clients[rules.fund.fund_id] = client
        return client

    async def close(self) -> None:
        """Close every line."""
        for client in self._clients.values():
            await client.http.aclose()
