"""What the platform remembers: rows in memory, every change of them in a journal first.

A change is (table, key, row); the changes of one message are one journal line, so they survive together or not at all.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from settlement.lab.insurer.journal import LineFile
from settlement.lab.insurer.records import (
    Effect,
    FeeLine,
    Refund,
    Settlement,
    Visit,
    YearTotals,
    settlement_from,
)

Change = tuple[str, str, Any]


class State:
    """All tables of the platform. Handlers read them freely and change them only through `commit`."""

    def __init__(self, path: Path) -> None:
        self.visits: dict[str, Visit] = {}
        self.lines: dict[str, dict[str, FeeLine]] = defaultdict(dict)
        self.settlements: dict[str, Settlement] = {}
        self.refunds: dict[str, Refund] = {}
        self.effects: dict[str, Effect] = {}
        self.totals: dict[str, YearTotals] = {}
        self.balances: dict[str, int] = {}
        self.counters: dict[str, int] = defaultdict(int)
        self.sign_ins: dict[str, str] = {}
        self.used_tokens: dict[str, bool] = {}
        self.files: dict[str, dict[str, str]] = {}
        self.settings: dict[str, Any] = {}
        self.visits_of: dict[str, list[str]] = defaultdict(list)
        self.settlements_of: dict[str, list[str]] = defaultdict(list)
        self.seen_msgids: set[str] = set()
        self._journal = LineFile(path)
        for line in self._journal.lines():
            self._apply((table, key, _READERS[table](row)) for table, key, row in json.loads(line))

    def commit(self, changes: list[Change]) -> None:
        """Write the changes to the journal, then make them."""
        if changes:
            self._journal.append(json.dumps(changes, ensure_ascii=False, separators=(",", ":")))
            self._apply(changes)

    def next_number(self, counter: str) -> int:
        """Return the number that follows the counter's; it is taken by committing it with what uses it."""
        return self.counters[counter] + 1

    def live_settlements(self, mdtrt_id: str) -> list[Settlement]:
        """Return the settlements of a visit that are neither cancelled nor voided, oldest first."""
        rows = (self.settlements[setl_id] for setl_id in self.settlements_of[mdtrt_id])
        return [row for row in rows if row.state == "live"]

    def unsettled_lines(self, mdtrt_id: str) -> list[FeeLine]:
        """Return the fee lines of a visit that no live settlement covers, in the order of their upload."""
        settled = {sn for settlement in self.live_settlements(mdtrt_id) for sn in settlement.line_sns}
        return [line for line in self.lines[mdtrt_id].values() if line.feedetl_sn not in settled]

    def close(self) -> None:
        """Close the journal."""
        self._journal.close()

    def _apply(self, changes: Iterable[Change]) -> None:
        for table, key, row in changes:
            _WRITERS[table](self, key, row)


def _put_visit(state: State, key: str, visit: Visit) -> None:
    if key not in state.visits:
        state.visits_of[visit.psn_no].append(key)
    state.visits[key] = visit


def _put_settlement(state: State, key: str, settlement: Settlement) -> None:
    if key not in state.settlements:
        state.settlements_of[settlement.mdtrt_id].append(key)
    state.settlements[key] = settlement


def _put_effect(state: State, key: str, effect: Effect) -> None:
    state.seen_msgids.add(key)
    state.effects[key] = effect


def _add_lines(state: State, key: str, lines: list[FeeLine]) -> None:
    state.lines[key].update((line.feedetl_sn, line) for line in lines)


def _remove_lines(state: State, key: str, line_sns: list[str]) -> None:
    for line_sn in line_sns:
        del state.lines[key][line_sn]


def _put(table: str) -> Callable[[State, str, Any], None]:
    def write(state: State, key: str, row: Any) -> None:
        getattr(state, table)[key] = row

    return write


def _as_it_is(row: Any) -> Any:
    return row


_WRITERS: dict[str, Callable[[State, str, Any], None]] = {
    "visits": _put_visit,
    "lines": _add_lines,
    "lines_removed": _remove_lines,
    "settlements": _put_settlement,
    "refunds": _put("refunds"),
    "effects": _put_effect,
    "totals": _put("totals"),
    "balances": _put("balances"),
    "counters": _put("counters"),
    "sign_ins": _put("sign_ins"),
    "used_tokens": _put("used_tokens"),
    "files": _put("files"),
    "settings": _put("settings"),
}

_READERS: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(_WRITERS, _as_it_is),
    "visits": lambda row: Visit(*row),
    "lines": lambda rows: [FeeLine(*row) for row in rows],
    "settlements": settlement_from,
    "refunds": lambda row: Refund(*row),
    "effects": lambda row: Effect(*row),
    "totals": lambda row: YearTotals(*row),
}
