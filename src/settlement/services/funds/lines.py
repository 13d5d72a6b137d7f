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
        self._replaced: list[GatewayClient] = []

    def to(self, rules: FundRules) -> GatewayClient:
        """Return the client that asks this fund's insurer; another one when its profile has changed.

        The profile is compared by what it says: rules that are read anew bring an equal one, and a client holds the
        day's sign-in. A client that was replaced may still be asking, so it is closed at the end.
        """
        known = self._clients.get(rules.fund.fund_id)
        if known is not None and known.profile == rules.profile:
            return known
        if known is not None:
            self._replaced.append(known)
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
        for client in (*self._clients.values(), *self._replaced):
            await client.http.aclose()
