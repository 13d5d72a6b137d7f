"""`settlement rerate`: a bill's member and term computed anew, old against new; on demand a proposal of it."""

from __future__ import annotations

from typing import Annotated

import typer

from settlement.cli.shell import FundCode, with_fund
from settlement.cli.telling import Json, fail, tell
from settlement.db.engine import fund_transaction
from settlement.db.registry import Fund
from settlement.db.reports import BillSearch, list_bill_ids
from settlement.domain.answers import Answer
from settlement.domain.ids import ClientId
from settlement.services.bills.commands import Caller
from settlement.services.bills.decide_rerating import NothingToRate, ProposeRerating, propose_rerating
from settlement.services.bills.rerate_member import rerate_member
from settlement.services.resources import Resources

app = typer.Typer(add_completion=False)


@app.command()
def rerate(
    fund_code: FundCode,
    bill: Annotated[str, typer.Option("--bill", help="Settlement number of a bill of the member and term.")],
    propose: Annotated[
        bool, typer.Option("--propose", help="Put it before a person, or apply it where the plan raises.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Compute every live bill of a bill's member and term anew, each old against new; nothing is changed by it."""

    async def use(resources: Resources, fund: Fund) -> Answer:
        caller = Caller(ClientId(f"{fund.fund_id}.rerate"), fund.fund_id, frozenset())
        async with fund_transaction(resources.engine, fund.fund_id) as connection:
            search = BillSearch(frozenset(), settlement_no=bill)
            found = await list_bill_ids(connection, fund.fund_id, search, None, 1)
        if not found:
            fail(f"Fund {fund.code} has no bill {bill!r}; a settlement number is on the bill's answer and in the list.")
        shown: Answer = {**(await rerate_member(resources, caller, found[0])).to_json(), "proposed": None}
        if propose:
            try:
                shown["proposed"] = await propose_rerating(resources, ProposeRerating(caller, found[0]))
            except NothingToRate:
                return shown
        return shown

    shown = with_fund(fund_code, use)
    tell(as_json, shown, _in_words(shown, asked=propose))


def _in_words(shown: Answer, *, asked: bool) -> str:
    owes = {"fund": "the fund owes the member", "member": "the member owes the fund", None: "nobody owes anything"}
    lines = [
        f"{line['settlement_no']} (revision {line['revision']}): {line['aid_recorded']} recorded, "
        f"{line['aid_now'] if line['aid_now'] is not None else 'not computable'} now"
        for line in shown["lines"]
    ]
    stored = shown["proposed"]
    done = [f"Re-rating {stored['rerating_id']}: {stored['state']}."] if stored else []
    nothing = ["Nothing to propose."] if asked and not stored else []
    return "\n".join([*lines, f"Term {shown['term']}, net {shown['net']}: {owes[shown['owes']]}.", *done, *nothing])
