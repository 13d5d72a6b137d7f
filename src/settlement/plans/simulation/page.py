"""A simulation as one HTML file that stands alone: figures, charts and tables, each label in Chinese and English."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from settlement.domain.money import Money
from settlement.plans.labels import plain_yuan
from settlement.plans.simulation.charts import Series, columns, lines
from settlement.plans.simulation.report import OTHER_UNITS, SMALLEST_UNIT, Report
from settlement.plans.simulation.tally import Change, Group

TITLES = {
    "hospital_level": "医院等级 Hospital level",
    "person_category": "人员类别 Person category",
    "care": "就诊类型 Care",
    "month": "月份 Month",
    "unit": "单位 Unit",
}
VALUES = {
    "hospital_level": {"1": "一级 1", "2": "二级 2", "3": "三级 3", "": "未知 unknown"},
    "person_category": {
        "active": "在职 active",
        "retired": "退休 retired",
        "retired_cadre": "离休 cadre",
        "minor_resident": "居民未成年 minor",
        "adult_resident": "居民成年 adult",
        "elderly_resident": "居民老年 elderly",
        "": "未知 unknown",
    },
    "care": {"inpatient": "住院 inpatient", "outpatient": "门诊 outpatient"},
    "unit": {OTHER_UNITS: "其他单位 others"},
}
_STYLE = """
:root { --ink: #1c2733; --dim: #66727f; --line: #e3e8ee; --before: #9fb3c8; --after: #0f7b6c; --gain: #0f7b6c;
  --loss: #c8553d; --paper: #fff; --ground: #f4f6f8; }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink);
  font: 15px/1.5 "Noto Sans SC", "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", system-ui, sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 32px 20px 60px; }
h1 { font-size: 26px; margin: 0 0 4px; } h2 { font-size: 17px; margin: 0 0 10px; }
p { margin: 4px 0; } .dim { color: var(--dim); font-size: 13px; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(200px, 1fr)); gap: 14px; margin: 22px 0; }
.card, section { background: var(--paper); border: 1px solid var(--line); border-radius: 10px; padding: 16px 18px; }
.card b { display: block; font-size: 24px; font-variant-numeric: tabular-nums; margin: 2px 0; }
.card.alarm b { color: var(--loss); } .card.good b { color: var(--gain); }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(460px, 1fr)); gap: 14px; }
section { margin-bottom: 14px; min-width: 0; } .charts section { margin: 0; }
.legend { display: flex; gap: 16px; font-size: 13px; color: var(--dim); margin-bottom: 4px; }
.legend i { display: inline-block; width: 11px; height: 11px; border-radius: 3px; margin-right: 6px; }
.before { fill: var(--before); background: var(--before); } .after { fill: var(--after); background: var(--after); }
.gain { fill: var(--gain); background: var(--gain); } .loss { fill: var(--loss); background: var(--loss); }
svg { width: 100%; height: auto; display: block; } svg text { font-size: 12px; fill: var(--dim); }
svg .label { text-anchor: middle; } svg .value { text-anchor: end; font-variant-numeric: tabular-nums; }
svg .grid { stroke: var(--line); } svg .zero { stroke: #8794a1; stroke-width: 1.4; }
svg .line { fill: none; stroke-width: 2.4; stroke-linejoin: round; background: none; }
svg .line.before { stroke: var(--before); } svg .line.after { stroke: var(--after); }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th { font-weight: 600; color: var(--dim); font-size: 12.5px; text-align: right; vertical-align: bottom; }
td { text-align: right; white-space: nowrap; } th, td { padding: 6px 10px; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { text-align: left; } tr:last-child td { border-bottom: 0; }
td.up { color: var(--gain); } td.down { color: var(--loss); }
@media (max-width: 560px) { .charts { grid-template-columns: 1fr; } }
@media print { body { background: #fff; } section, .card { break-inside: avoid; } }
"""


def page(report: Report) -> str:
    """Return the whole file. It loads nothing; it holds no member, only rows or settlement numbers."""
    body = "\n".join(
        [
            *_head(report),
            *_cards(report),
            '<div class="charts">',
            *_charts(report),
            "</div>",
            *_tables(report),
            *_notes(report),
        ]
    )
    title = f"{report.draft.name_zh} {report.draft.version} · 方案模拟"
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escape(title)}</title>'
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    secure = f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    return (
        f'<!doctype html>\n<html lang="zh"><head>{head}{secure}<style>{_STYLE}</style></head>\n'
        f"<body><main>{body}</main></body></html>\n"
    )


def before_name(report: Report) -> str:
    """Say what the draft is compared with."""
    if report.against is not None:
        return f"对照 {report.against.code} {report.against.version} against"
    return "原已付 paid"


def shown_value(dimension: str, value: str) -> str:
    """Write a group's name in both languages."""
    return VALUES.get(dimension, {}).get(value, value)


def change_class(start: int | None, following: int | None) -> str:
    """Say which changes a class holds."""
    if start is None:
        return f"≤ {_short((following or 0) - 1)}"
    if following is None:
        return f"> {_short(start - 1)}"
    if start == 0:
        return "不变 0"
    return f"{_short(start if start < 0 else start - 1)} … {_short(following - 1 if following > 0 else following)}"


def _head(report: Report) -> Iterator[str]:
    draft = report.draft
    yield f"<h1>{escape(draft.name_zh)} · {escape(draft.version)}</h1>"
    yield f'<p class="dim">{escape(draft.name_en)} — 方案模拟 simulation of a draft</p>'
    compared = f"，对照：{before_name(report)}" if report.has_before else ""
    days = f"{report.first_day} – {report.last_day}"
    yield f'<p class="dim">{days} · {escape(report.source)}{escape(compared)}</p>'


def _cards(report: Report) -> Iterator[str]:
    whole, balance = report.tally.whole, report.balance
    yield '<div class="cards">'
    if report.has_before:
        yield _card("原成本 Cost before", _yuan(whole.before_fen), f"{whole.paid_before:,} 笔 bills paid")
    paid = f"{whole.paid_after:,} / {whole.bills:,} 笔 bills"
    yield _card("草案成本 Cost of the draft", _yuan(whole.after_fen), paid)
    if report.has_before:
        change = whole.after_fen - whole.before_fen
        percent = f"{change / whole.before_fen:+.1%}" if whole.before_fen else ""
        yield _card("变化 Change", _signed(change), percent, "alarm" if change > 0 else "good")
        yield _card("受益人数 Members gaining", f"{whole.gaining:,}", f"+{_yuan(whole.gain_fen)} 元", "good")
        yield _card("减少人数 Members losing", f"{whole.losing:,}", f"−{_yuan(whole.loss_fen)} 元", "alarm")
    today = f"目前 today {report.take_up}，{report.multiple} 倍 times" if report.multiple is not None else ""
    yield _card("每百人给付次数 Payments per 100", str(report.per_100), today)
    if balance is not None:
        dry = balance.dry_after
        last = balance.months[-1].after_fen if balance.months else 0
        said = f"期末 end {_yuan(last)} 元"
        yield _card("基金耗尽日 Fund runs dry", str(dry) if dry else "不耗尽 never", said, "alarm" if dry else "good")
    yield "</div>"


def _charts(report: Report) -> Iterator[str]:
    if report.balance is not None and report.balance.months:
        months = report.balance.months
        series = _both(report, [month.before_fen for month in months], [month.after_fen for month in months])
        chart = lines([f"{month.day:%Y-%m}" for month in months], series, _short)
        yield _section("基金余额（月末）Balance of the fund, end of month", chart, series)
    for dimension in ("month", "hospital_level", "person_category"):
        groups = report.groups(dimension)
        if groups:
            values = list(groups.values())
            series = _both(report, [group.before_fen for group in values], [group.after_fen for group in values])
            labels = [shown_value(dimension, value) for value in groups]
            yield _section(f"成本按{TITLES[dimension]}", columns(labels, series, _short), series)
    if report.has_before:
        yield from _change_chart(report)


def _change_chart(report: Report) -> Iterator[str]:
    changes = report.changes()
    starts = [start for start, _, _ in changes]
    labels = [change_class(start, following) for start, following in zip(starts, [*starts[1:], None], strict=True)]
    shown = [(label, start, members) for label, (start, members, _) in zip(labels, changes, strict=True) if start != 0]
    series = [
        Series("减少 lose", "loss", [members if start is None or start < 0 else 0 for _, start, members in shown]),
        Series("增加 gain", "gain", [members if start is not None and start > 0 else 0 for _, start, members in shown]),
    ]
    unchanged = sum(members for start, members, _ in changes if start == 0)
    chart = columns([label for label, _, _ in shown], series, lambda value: f"{value:,}")
    said = f'<p class="dim">不变 unchanged: {unchanged:,}</p>'
    yield _section("人数按每人变化（元）Members by change, yuan", f"{chart}{said}", series)


def _tables(report: Report) -> Iterator[str]:
    yield _section("按待遇 By benefit", _table(*_benefit_rows(report)))
    for dimension, title in TITLES.items():
        groups = report.groups(dimension)
        if groups:
            rows = [_group_row(shown_value(dimension, value), group, report) for value, group in groups.items()]
            yield _section(f"按{title}", _table(_group_header(report), rows))
    if report.has_before:
        yield from _largest(report)


def _largest(report: Report) -> Iterator[str]:
    header = ("首笔账单 First bill", "笔数 Bills", "原 Before", "草案 After", "变化 Change")
    for title, changes in (
        ("增加最多 Largest gains", report.tally.gains),
        ("减少最多 Largest losses", report.tally.losses),
    ):
        if changes:
            yield _section(title, _table(header, [_change_row(change) for change in changes]))


def _notes(report: Report) -> Iterator[str]:
    tally = report.tally
    said = [f"方案指纹 digest of the draft: {report.draft.digest}"]
    if tally.held:
        held = ", ".join(f"{fact} {count:,}" for fact, count in sorted(tally.held.items()))
        said.append(f"因缺少事实未计算、两边均未计入 left out on both sides, a fact is missing: {held}")
    if tally.refused:
        said.append(f"无法读取的行 rows that could not be read: {tally.refused:,}")
        said += [f"第 {bad.row} 行 row {bad.row}: {bad.why}" for bad in tally.first_refused]
    if report.not_read:
        said.append(f"未使用的列 columns not used: {', '.join(report.not_read)}")
    if report.tally.groups["unit"]:
        english = f"units with fewer than {SMALLEST_UNIT} beneficiaries are merged"
        said.append(f"受益人数不足 {SMALLEST_UNIT} 的单位合并 {english}")
    yield _section("说明 Notes", "".join(f'<p class="dim">{escape(each)}</p>' for each in said))


def _benefit_rows(report: Report) -> tuple[Sequence[str], list[Sequence[str]]]:
    header = ["待遇 Benefit", *(["原笔数 Before", "原成本"] if report.has_before else []), "笔数 After", "成本 Cost"]
    rows: list[Sequence[str]] = []
    for code, sums in sorted(report.tally.benefits.items()):
        before = [f"{sums.paid_before:,}", _yuan(sums.before_fen)] if report.has_before else []
        rows.append([code, *before, f"{sums.paid_after:,}", _yuan(sums.after_fen)])
    return header, rows


def _group_header(report: Report) -> Sequence[str]:
    before = ["原成本 Before"] if report.has_before else []
    compared = ["变化 Change", "增加 Gain", "减少 Lose"] if report.has_before else []
    return ["", "账单 Bills", "人数 Members", "给付 Paid", *before, "草案成本 After", *compared]


def _group_row(name: str, group: Group, report: Report) -> Sequence[str]:
    before = [_yuan(group.before_fen)] if report.has_before else []
    change = group.after_fen - group.before_fen
    compared = [_signed(change), f"{group.gaining:,}", f"{group.losing:,}"] if report.has_before else []
    counts = [f"{group.bills:,}", f"{group.members:,}", f"{group.paid_after:,}"]
    return [name, *counts, *before, _yuan(group.after_fen), *compared]


def _change_row(change: Change) -> Sequence[str]:
    amounts = [_yuan(change.before_fen), _yuan(change.after_fen), _signed(change.fen)]
    return [change.first_bill, f"{change.bills:,}", *amounts]


def _both(report: Report, before: Sequence[int], after: Sequence[int]) -> list[Series]:
    drawn = [Series(before_name(report), "before", before)] if report.has_before else []
    return [*drawn, Series("草案 draft", "after", after)]


def _section(title: str, body: str, series: Sequence[Series] = ()) -> str:
    names = "".join(f'<span><i class="{each.style}"></i>{escape(each.name)}</span>' for each in series)
    legend = f'<div class="legend">{names}</div>' if len(series) > 1 else ""
    return f"<section><h2>{escape(title)}</h2>{legend}{body}</section>"


def _card(title: str, value: str, said: str, style: str = "") -> str:
    return (
        f'<div class="card {style}"><span class="dim">{escape(title)}</span><b>{escape(value)}</b>'
        f'<span class="dim">{escape(said)}</span></div>'
    )


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in header)
    lines_of = "".join(f"<tr>{''.join(_cell(cell) for cell in row)}</tr>" for row in rows)
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{lines_of}</tbody></table></div>'


def _cell(text: str) -> str:
    style = {"+": ' class="up"', "−": ' class="down"'}.get(text[:1], "")
    return f"<td{style}>{escape(text)}</td>"


def _yuan(fen: int) -> str:
    return plain_yuan(Money(fen)) if fen >= 0 else f"−{plain_yuan(Money(-fen))}"


def _signed(fen: int) -> str:
    return f"+{_yuan(fen)}" if fen > 0 else _yuan(fen)


def _short(fen: int) -> str:
    """Write yuan for an axis: whole, and from ten thousand on in 万."""
    sign, yuan = ("−" if fen < 0 else ""), abs(fen) / 100
    return f"{sign}{yuan / 10_000:,.4g} 万" if yuan >= 10_000 else f"{sign}{yuan:,.0f}"
