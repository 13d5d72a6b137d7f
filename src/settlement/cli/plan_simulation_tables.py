"""A simulation as tables on a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from settlement.domain.money import Money
from settlement.plans.simulation.page import TITLES, before_name, shown_value
from settlement.plans.simulation.report import Report
from settlement.plans.simulation.tally import Change, Group

MOST_ROWS = 40
"""A dimension with more groups is left to the page and the JSON object."""


def show(report: Report, console: Console) -> None:
    """Print the result: totals, who gains and loses by group, benefits, the largest changes, the fund."""
    draft = report.draft
    console.print(f"[bold]{draft.name_zh}[/bold] {draft.version} · {report.source}", highlight=False)
    console.print(f"[dim]{report.first_day} – {report.last_day}[/dim]", highlight=False)
    console.print(_totals(report))
    for dimension, title in TITLES.items():
        groups = report.groups(dimension)
        if 0 < len(groups) <= MOST_ROWS:
            table = _table(title, report)
            for value, group in groups.items():
                table.add_row(shown_value(dimension, value), *_cells(group, report))
            console.print(table)
    console.print(_benefits(report))
    if report.has_before:
        most = (("增加最多 largest gains", report.tally.gains), ("减少最多 largest losses", report.tally.losses))
        for title, changes in most:
            if changes:
                console.print(_largest(title, changes))
    if report.balance is not None:
        console.print(_fund(report))
    for line in _left_out(report):
        console.print(line, style="yellow", highlight=False)
    console.print(
        f"[dim]{report.tally.whole.bills:,} bills, {report.processes} processes, {report.seconds:.1f} s[/dim]",
        highlight=False,
    )


def _totals(report: Report) -> Table:
    whole = report.tally.whole
    table = Table(box=None, show_header=False, padding=(0, 2))
    table.add_column()
    table.add_column(justify="right")
    table.add_row("账单 bills", f"{whole.bills:,}")
    table.add_row("人数 members with bills", f"{whole.members:,}")
    if report.has_before:
        table.add_row(f"{before_name(report)}：笔数 paid bills", f"{whole.paid_before:,}")
        table.add_row(f"{before_name(report)}：成本 cost", _yuan(whole.before_fen))
    table.add_row("草案：笔数 paid bills", f"{whole.paid_after:,}")
    table.add_row("草案：成本 cost", f"[bold]{_yuan(whole.after_fen)}[/bold]")
    if report.has_before:
        table.add_row("变化 change", f"[bold]{_signed(whole.after_fen - whole.before_fen)}[/bold]")
        table.add_row("增加 members who gain", f"{whole.gaining:,}  [green]+{_yuan(whole.gain_fen)}[/green]")
        table.add_row("减少 members who lose", f"{whole.losing:,}  [red]-{_yuan(whole.loss_fen)}[/red]")
    table.add_row("每百人给付次数 payments per 100 memberships", str(report.per_100))
    if report.multiple is not None:
        table.add_row("为目前的倍数 times as many as today", f"{report.multiple}（{report.take_up}）")
    return table


def _table(title: str, report: Report) -> Table:
    table = Table(title=f"{title}（元 yuan）", title_justify="left", box=None, padding=(0, 1), header_style="dim")
    table.add_column("", no_wrap=True)
    names = ["账单\nbills", "人数\nmembers", "给付\npaid"]
    names += [*(["原成本\nbefore"] if report.has_before else []), "草案\nafter"]
    names += ["变化\nchange", "增加\ngain", "减少\nlose"] if report.has_before else []
    for name in names:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _cells(group: Group, report: Report) -> list[str]:
    before = [_whole(group.before_fen)] if report.has_before else []
    compared = [f"{round((group.after_fen - group.before_fen) / 100):+,}", f"{group.gaining:,}", f"{group.losing:,}"]
    counts = [f"{group.bills:,}", f"{group.members:,}", f"{group.paid_after:,}"]
    return [*counts, *before, _whole(group.after_fen), *(compared if report.has_before else [])]


def _benefits(report: Report) -> Table:
    table = Table(title="待遇 Benefit", title_justify="left", box=None, padding=(0, 2), header_style="dim")
    table.add_column("")
    for name in (*(["原笔数 before", "原成本"] if report.has_before else []), "笔数 paid", "成本 cost"):
        table.add_column(name, justify="right")
    for code, sums in sorted(report.tally.benefits.items()):
        before = [f"{sums.paid_before:,}", _yuan(sums.before_fen)] if report.has_before else []
        table.add_row(code, *before, f"{sums.paid_after:,}", _yuan(sums.after_fen))
    return table


def _largest(title: str, changes: list[Change]) -> Table:
    table = Table(title=title, title_justify="left", box=None, padding=(0, 2), header_style="dim")
    table.add_column("首笔 first bill")
    for name in ("笔数 bills", "原 before", "草案 after", "变化 change"):
        table.add_column(name, justify="right")
    for change in changes:
        amounts = [_yuan(change.before_fen), _yuan(change.after_fen), _signed(change.fen)]
        table.add_row(change.first_bill, f"{change.bills}", *amounts)
    return table


def _fund(report: Report) -> Table:
    balance = report.balance
    table = Table(title="基金 Fund", title_justify="left", box=None, padding=(0, 2), header_style="dim")
    table.add_column("月末 end of month")
    for name in (*(["原 before"] if report.has_before else []), "草案 after"):
        table.add_column(name, justify="right")
    if balance is None:
        return table
    for month in balance.months:
        before = [_coloured(month.before_fen)] if report.has_before else []
        table.add_row(f"{month.day:%Y-%m}", *before, _coloured(month.after_fen))
    dry = [str(balance.dry_before or "不耗尽 never")] if report.has_before else []
    table.add_row("耗尽 runs dry", *dry, f"[bold]{balance.dry_after or '不耗尽 never'}[/bold]")
    return table


def _left_out(report: Report) -> list[str]:
    tally, lines = report.tally, []
    if tally.held:
        facts = ", ".join(f"{fact} {count:,}" for fact, count in sorted(tally.held.items()))
        lines.append(f"{tally.held.total():,} bills left out on both sides, because a fact is missing: {facts}")
    if tally.refused:
        lines.append(f"{tally.refused:,} rows could not be read and are left out:")
        lines += [f"  row {bad.row}: {bad.why}" for bad in tally.first_refused]
    if report.not_read:
        lines.append(f"Columns not used: {', '.join(report.not_read)}")
    return lines


def _whole(fen: int) -> str:
    """Write whole yuan, where a table has room for no more."""
    return f"{round(fen / 100):,}"


def _yuan(fen: int) -> str:
    yuan, _, decimals = Money(fen).yuan().partition(".")
    return f"{int(yuan):,}.{decimals}" if int(yuan) or fen >= 0 else f"-0.{decimals}"


def _signed(fen: int) -> str:
    return f"+{_yuan(fen)}" if fen > 0 else _yuan(fen)


def _coloured(fen: int) -> str:
    return f"[red]{_yuan(fen)}[/red]" if fen < 0 else _yuan(fen)
