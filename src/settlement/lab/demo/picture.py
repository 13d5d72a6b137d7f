"""One bill as a table that a person enjoys: who pays what, what the plan did, and where to look next."""

from __future__ import annotations

from typing import Any

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text


def bill_picture(patient: str, hospital: str, answer: dict[str, Any], explanation: dict[str, Any]) -> Panel:
    """Return one settled bill: its shares, the plan's steps with their clauses, and the sentence for the cashier."""
    aid = answer["mutual_aid"]
    parts: list[RenderableType] = [
        _shares(answer),
        Text(),
        *[_steps(benefit) for benefit in explanation["benefits"] if benefit["base"] != "0.00"],
        Text(aid["reason"]["sentence"], style="bold green"),
    ]
    title = f"{hospital} · {patient} · {answer['settlement_no']}"
    return Panel(Group(*parts), title=title, subtitle="一单式结算", border_style="cyan", expand=False, padding=(1, 3))


def _shares(answer: dict[str, Any]) -> Table:
    bill, aid = answer["bill"], answer["mutual_aid"]
    table = Table(box=None, show_header=False, padding=(0, 2))
    table.add_column(style="dim")
    table.add_column(justify="right")
    rows = [
        ("医疗费总额  billed", bill["billed"], "bold"),
        ("医保基金支付  insurer", bill["insurer_paid"], ""),
        ("医院负担  hospital", bill["provider_absorbed"], ""),
        ("个人账户支付  account", bill["account_paid"], ""),
        ("职工医疗互助  mutual aid", aid["on_bill"], "bold green"),
        ("其他支付  other payers", answer["other_on_bill"], ""),
        ("个人应付现金  cash due", answer["cash_due"], "bold yellow"),
    ]
    for label, amount, style in rows:
        if amount != "0.00" or "cash" in label:
            table.add_row(label, Text(f"{amount} 元", style=style))
    if aid["to_card"] != "0.00":
        table.add_row("打入银行卡  to the card", Text(f"{aid['to_card']} 元", style="green"))
    return table


def _steps(benefit: dict[str, Any]) -> Table:
    table = Table(
        title=f"{benefit['name']}（{benefit['term']['code']}）", title_justify="left", box=None, padding=(0, 2)
    )
    table.add_column("规则  rule")
    table.add_column("金额  yuan", justify="right")
    table.add_column("依据  clause", style="dim", overflow="fold", max_width=44)
    table.add_row("本单自负额  base", benefit["base"], "")
    for step in benefit["steps"]:
        table.add_row(step["label"], step["delta"], step["clause"])
    table.add_row(Text("本单补助  aid", style="bold"), Text(benefit["amount"], style="bold green"), "")
    if benefit["remaining"] is not None:
        table.add_row(Text("本期尚余  left this term", style="dim"), Text(benefit["remaining"], style="dim"), "")
    return table
