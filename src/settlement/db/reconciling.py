"""Comparing a day's lists with our records: one statement per source finds every break, others open and close them.

Of each day (and hospital) the newest import counts. Nothing is compared row by row outside the database
(docs/decisions/0025-reconciliation-in-the-database.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Json
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from settlement.domain.ids import FundId
from settlement.domain.reconciliation import BY_A_PERSON, FINAL, JITTER_FEN, UNTIL_THE_ROSTER, Source

FUND_COLUMNS = ("hifp", "cvlserv", "hifes", "hifmi", "hifob", "hifdm", "maf", "oth")
"""Single funds: if only they differ, the totals agree and another payer paid."""
TOTALS = (
    "billed",
    "excluded",
    "over_limit",
    "upfront_share",
    "allowed",
    "insurer_paid",
    "provider_absorbed",
    "patient_share",
    "account_paid",
    "family_account_paid",
    "cash_before_aid",
)
_COMPARED = (*TOTALS, *FUND_COLUMNS)
_COMPARED_FEN = tuple(f"{name}_fen" for name in _COMPARED)
_LINE = (
    *("area", "insurer_settlement_id", "hospital_code", "import_id", "line", "entry", "business_date", "closes"),
    *("figures_digest", "cash_collected_fen", "aid_given_fen"),
    *_COMPARED_FEN,
)
_BILL = ("bill_id", "area", "insurer_settlement_id", "hospital_code", "state", "business_date", "figures_digest")
_OURS = (*_BILL, "question_code", "reversed_on", "cash_due_fen", "aid_on_bill_fen", *_COMPARED_FEN)


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a day: its id (whose randomness makes the ids of what it writes), who ran it, and when.

    `oldest` is when the oldest import was made whose lines are still kept whole.
    """

    fund_id: FundId
    run_id: UUID
    day: date
    actor: str
    at: datetime
    oldest: datetime

    def values(self) -> dict[str, Any]:
        """Return what the statements of a run share."""
        milliseconds = int(self.at.timestamp() * 1000)
        return {
            "fund_id": self.fund_id,
            "run_id": self.run_id,
            "seed": str(self.run_id),
            "milliseconds": milliseconds,
            "day": self.day,
            "actor": self.actor,
            "at": self.at,
            "oldest": self.oldest,
        }


@dataclass(frozen=True, slots=True)
class Lists:
    """Which lists of a day there are. A list with refused lines proves no absence: it is not `complete`."""

    bureau_import_id: UUID | None
    bureau_complete: bool
    hospital_codes: tuple[str, ...]
    complete_codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Compared:
    """What a run of a day came to: how many rows each side had, breaks by source and kind, and what changed."""

    recorded_count: int
    bureau_count: int
    hospital_count: int
    found: Mapping[str, Mapping[str, int]]
    opened_count: int
    resolved_count: int


_CURRENT = """
current AS MATERIALIZED (
    SELECT DISTINCT ON (business_date) business_date AS file_day, import_id, refused_count
    FROM reconciliation_import
    WHERE fund_id = :fund_id AND source = 'bureau' AND imported_at > :oldest
    ORDER BY business_date, import_id DESC
)"""
_COVERING = """
covering AS MATERIALIZED (
    SELECT DISTINCT ON (business_date, code) business_date AS file_day, code, import_id, refused_count
    FROM reconciliation_import CROSS JOIN unnest(hospital_codes) AS code
    WHERE fund_id = :fund_id AND source = 'hospital' AND imported_at > :oldest
      AND business_date BETWEEN CAST(:day AS date) - 1 AND CAST(:day AS date) + 1
    ORDER BY business_date, code, import_id DESC
)"""
_LISTS = text(f"""
WITH {_CURRENT}, {_COVERING}
SELECT (SELECT import_id FROM current WHERE file_day = :day) AS bureau,
       (SELECT refused_count = 0 FROM current WHERE file_day = :day) AS complete,
       (SELECT array_agg(code ORDER BY code) FROM covering WHERE file_day = :day) AS codes,
       (SELECT array_agg(code ORDER BY code) FROM covering WHERE file_day = :day AND refused_count = 0)
           AS complete_codes
""")


async def read_lists(connection: AsyncConnection, run: Run) -> Lists:
    """Return which lists count for the day of a run."""
    row = (await connection.execute(_LISTS, run.values())).one()
    return Lists(row.bureau, bool(row.complete), tuple(row.codes or ()), tuple(row.complete_codes or ()))


_LEARNT_ON = "CAST(bill.created_at AT TIME ZONE 'Asia/Shanghai' AS date)"
"""The day on which we heard of a cancellation whose bill had not come: of its own date nothing is kept."""


def _ours(which: str) -> str:
    """Return the query of our bills with the figures of their present revision, as columns `o_…`.

    `o_reversed_on` is the day of a cancellation.
    """
    in_settlement = [name for name in _COMPARED if name != "insurer_paid"]
    funds = " + ".join(f"settlement.{name}_fen" for name in (*FUND_COLUMNS, "unnamed"))
    return f"""
    SELECT {", ".join(f"bill.{name} AS o_{name}" for name in _BILL)}, bill.question ->> 'code' AS o_question_code,
           CASE WHEN bill.state = 'cancelled_unseen' THEN {_LEARNT_ON} ELSE reversal.business_date END AS o_reversed_on,
           settlement.cash_due_fen AS o_cash_due_fen,
           settlement.aid_on_bill_fen AS o_aid_on_bill_fen, {funds} AS o_insurer_paid_fen,
           {", ".join(f"settlement.{name}_fen AS o_{name}_fen" for name in in_settlement)}
    FROM bill
    LEFT JOIN settlement ON settlement.fund_id = bill.fund_id AND settlement.bill_id = bill.bill_id
        AND settlement.revision = bill.revision
    LEFT JOIN reversal ON reversal.fund_id = bill.fund_id AND reversal.bill_id = bill.bill_id
        AND reversal.revision = bill.revision
    WHERE bill.fund_id = :fund_id AND {which}"""


_L = ", ".join(f"l_{name}" for name in _LINE)
_LINE_COLUMNS = ", ".join(f"line.{name} AS l_{name}" for name in _LINE)
_EITHER = ", ".join(f"COALESCE(recorded.o_{name}, elsewhere.o_{name}) AS o_{name}" for name in _OURS)
_ELSEWHERE = _ours(
    "recorded.o_bill_id IS NULL AND bill.area = l_area AND bill.insurer_settlement_id = l_insurer_settlement_id"
)
_PAIRED = f"""
paired AS MATERIALIZED (
    SELECT {_L}, l_times, l_gone, {_EITHER}, COALESCE(l_area, recorded.o_area) AS area,
           COALESCE(l_insurer_settlement_id, recorded.o_insurer_settlement_id) AS settlement_id
    FROM listed
    FULL JOIN recorded ON o_insurer_settlement_id = l_insurer_settlement_id AND o_area = l_area
    LEFT JOIN LATERAL ({_ELSEWHERE} OFFSET 0) AS elsewhere ON true
)"""


def _listed_as(entry: str, area: str, settlement_id: str, columns: str = "import_id") -> str:
    """Return the query of the lines about one bill, in whatever import.

    `OFFSET 0` keeps the search by the bill, whose index finds a line or two: the planner knows little of a table that
    grows by a day's lines at a time, and would now and then read a whole import for every bill. Area and id must be
    plain columns: under row-level security a condition with an expression like COALESCE may use no index.
    """
    return f"""(SELECT {columns} FROM reconciliation_line AS kept
        WHERE kept.fund_id = :fund_id AND kept.insurer_settlement_id = {settlement_id} AND kept.area = {area}
          AND kept.entry = '{entry}' OFFSET 0)"""


def _cancelled(area: str, settlement_id: str) -> str:
    lines = _listed_as("cancellation", area, settlement_id)
    return f"EXISTS (SELECT FROM {lines} AS undoing JOIN current USING (import_id))"


_AMOUNT = " OR ".join(f"l_{name}_fen <> o_{name}_fen" for name in TOTALS)
_PAYER = " OR ".join(f"l_{name}_fen <> o_{name}_fen" for name in FUND_COLUMNS)
_LIVING = "('live', 'held', 'pending')"
_THEIRS = ", ".join(
    [f"'{name}', l_{name}" for name in ("entry", "business_date", "cash_collected_fen", "aid_given_fen")]
    + ["'times', NULLIF(l_times, 1)"]
    + [f"'{name}_fen', l_{name}_fen" for name in _COMPARED]
)
_OUR_FIGURES = ", ".join(
    f"'{name}', o_{name}"
    for name in ("state", "business_date", "reversed_on", "cash_due_fen", "aid_on_bill_fen", *_COMPARED_FEN)
)
_FIGURES = f"""jsonb_strip_nulls(jsonb_build_object(
    'theirs', CASE WHEN l_insurer_settlement_id IS NOT NULL THEN jsonb_build_object({_THEIRS}) END,
    'ours', CASE WHEN o_bill_id IS NOT NULL THEN jsonb_build_object({_OUR_FIGURES}) END))"""
_FOUND = f"""
INSERT INTO reconciliation_found (fund_id, run_id, source, kind, area, insurer_settlement_id, business_date, bill_id,
    hospital_code, figures, import_id, line)
SELECT :fund_id, :run_id, :source, kind, COALESCE(l_area, o_area),
       COALESCE(l_insurer_settlement_id, o_insurer_settlement_id), found_day, o_bill_id,
       COALESCE(l_hospital_code, o_hospital_code), {_FIGURES}, l_import_id, l_line
FROM judged"""
_J = f"{_L}, l_times, {', '.join(f'o_{name}' for name in _OURS)}"


def _judged(kind: str, day: str, condition: str, source: str = "paired") -> str:
    return f"SELECT '{kind}' AS kind, {day} AS found_day, {_J} FROM {source} WHERE {condition}"


_DAY = "CAST(:day AS date)"


def _beside(counting: str) -> str:
    """Return the bills of this day that a list of a day beside it has too, `counting` being the imports that count."""
    return f"""
beside AS MATERIALIZED (
    SELECT paired.*, other.*
    FROM paired CROSS JOIN LATERAL (
        SELECT file_day AS other_day, line.business_date AS other_date
        FROM {_listed_as("settlement", "paired.area", "settlement_id", "import_id, business_date")} AS line
        JOIN {counting} AS counting USING (import_id)
        WHERE file_day IN (CAST(:day AS date) - 1, CAST(:day AS date) + 1)
        LIMIT 1) AS other
)"""


_BOTH = "l_insurer_settlement_id IS NOT NULL AND o_bill_id IS NOT NULL"
_ONLY_OURS = "l_insurer_settlement_id IS NULL AND o_bill_id IS NOT NULL"
_NOT_BESIDE = "o_bill_id NOT IN (SELECT o_bill_id FROM beside WHERE o_bill_id IS NOT NULL)"
_LISTED_BESIDE = "(l_import_id, l_line) IN (SELECT l_import_id, l_line FROM beside WHERE l_line IS NOT NULL)"
_BUREAU = f"""
WITH {_CURRENT}, listed AS MATERIALIZED (
    SELECT DISTINCT ON (line.insurer_settlement_id, line.area) {_LINE_COLUMNS},
           count(*) OVER (PARTITION BY line.insurer_settlement_id, line.area) AS l_times,
           {_cancelled("line.area", "line.insurer_settlement_id")} AS l_gone
    FROM reconciliation_line AS line
    WHERE line.fund_id = :fund_id AND line.import_id = :import_id AND line.entry = 'settlement'
    ORDER BY line.insurer_settlement_id, line.area, line.line
), recorded AS MATERIALIZED ({_ours("bill.business_date = :day")}
), {_PAIRED}, {_beside("current")}, cancelled AS MATERIALIZED (
    SELECT DISTINCT ON (line.insurer_settlement_id, line.area) {_LINE_COLUMNS}, CAST(1 AS bigint) AS l_times, ours.*
    FROM reconciliation_line AS line
    CROSS JOIN LATERAL ({_ours("bill.area = line.area AND bill.insurer_settlement_id = line.insurer_settlement_id")}
        AND bill.state IN ('live', 'held')) AS ours
    WHERE line.fund_id = :fund_id AND line.import_id = :import_id AND line.entry = 'cancellation'
    ORDER BY line.insurer_settlement_id, line.area, line.line
), undone AS MATERIALIZED (
    SELECT {_LINE_COLUMNS}, CAST(1 AS bigint) AS l_times, ours.*
    FROM reversal AS of_day
    CROSS JOIN LATERAL ({_ours("bill.bill_id = of_day.bill_id AND bill.revision = of_day.revision")}
        AND bill.state IN ('reversed', 'replaced')) AS ours
    CROSS JOIN LATERAL (
        SELECT line.* FROM {_listed_as("settlement", "o_area", "o_insurer_settlement_id", "kept.*")} AS line
        JOIN current USING (import_id) ORDER BY import_id DESC, line.line LIMIT 1) AS line
    WHERE of_day.fund_id = :fund_id AND of_day.business_date = :day
      AND {"NOT " + _cancelled("o_area", "o_insurer_settlement_id")}
    UNION ALL
    SELECT {_LINE_COLUMNS}, CAST(1 AS bigint) AS l_times, ours.*
    FROM ({_ours(f"bill.state = 'cancelled_unseen' AND {_LEARNT_ON} = :day")}) AS ours
    CROSS JOIN LATERAL (
        SELECT line.* FROM {_listed_as("settlement", "o_area", "o_insurer_settlement_id", "kept.*")} AS line
        JOIN current USING (import_id) ORDER BY import_id DESC, line.line LIMIT 1) AS line
    WHERE line.business_date <> :day AND {"NOT " + _cancelled("o_area", "o_insurer_settlement_id")}
), judged AS (
    {_judged("missing_here", _DAY, "o_bill_id IS NULL AND NOT l_gone")}
    UNION ALL
    {
    _judged(
        "missing_there",
        _DAY,
        f"{_ONLY_OURS} AND :complete AND o_state IN {_LIVING} AND {_NOT_BESIDE} AND NOT "
        + _cancelled("o_area", "o_insurer_settlement_id"),
    )
}
    UNION ALL
    {_judged("duplicated", _DAY, f"l_times > 1 OR {_LISTED_BESIDE}")}
    UNION ALL
    {_judged("wrong_day", _DAY, f"{_BOTH} AND l_business_date <> o_business_date")}
    UNION ALL
    {_judged("wrong_day", "other_day", f"{_ONLY_OURS} AND other_date <> o_business_date", "beside")}
    UNION ALL
    {
    _judged(
        "amount",
        _DAY,
        f"NOT l_gone AND ((o_state = 'live' AND ({_AMOUNT}) IS TRUE) OR (o_state = 'held' AND l_closes "
        "AND o_question_code <> ALL (CAST(:about_figures AS text[])) AND l_figures_digest <> o_figures_digest))",
    )
}
    UNION ALL
    {_judged("payer", _DAY, f"NOT l_gone AND o_state = 'live' AND ({_AMOUNT}) IS NOT TRUE AND ({_PAYER}) IS TRUE")}
    UNION ALL
    {_judged("cancelled_on_one_side", _DAY, "true", "cancelled")}
    UNION ALL
    {_judged("cancelled_on_one_side", _DAY, "true", "undone")}
    UNION ALL
    {
    _judged(
        "cancelled_on_one_side",
        "o_reversed_on",
        f"{_BOTH} AND NOT l_gone AND (o_state = 'cancelled_unseen' OR (o_state IN ('reversed', 'replaced') "
        "AND o_reversed_on <> :day)) AND EXISTS (SELECT FROM current WHERE file_day = o_reversed_on)",
    )
}
)
{_FOUND}
"""
_ROUNDED = f"(l_cash_collected_fen % {JITTER_FEN} = 0 AND l_cash_collected_fen - o_cash_due_fen < {JITTER_FEN})"
_MORE_CASH = f"(o_state = 'live' AND l_cash_collected_fen > o_cash_due_fen AND NOT {_ROUNDED})"
_AID = "COALESCE(o_aid_on_bill_fen, 0)"
_HOSPITAL = f"""
WITH {_COVERING}, listed AS MATERIALIZED (
    SELECT DISTINCT ON (line.insurer_settlement_id, line.area) {_LINE_COLUMNS},
           count(*) FILTER (WHERE line.entry = 'settlement') OVER same_bill AS l_times,
           bool_or(line.entry = 'cancellation') OVER same_bill AS l_gone
    FROM reconciliation_line AS line
    JOIN covering ON covering.import_id = line.import_id AND covering.code = line.hospital_code AND file_day = :day
    WHERE line.fund_id = :fund_id
    WINDOW same_bill AS (PARTITION BY line.insurer_settlement_id, line.area)
    ORDER BY line.insurer_settlement_id, line.area, line.entry DESC, line.line
), recorded AS MATERIALIZED ({_ours("bill.business_date = :day AND bill.hospital_code = ANY (CAST(:codes AS text[]))")}
), {_PAIRED}, {_beside("covering")}, judged AS (
    {
    _judged(
        "hospital_missing",
        _DAY,
        f"{_ONLY_OURS} AND o_hospital_code = ANY (CAST(:complete_codes AS text[])) AND o_state IN {_LIVING} "
        f"AND {_NOT_BESIDE}",
    )
}
    UNION ALL
    {_judged("aid_to_unknown", _DAY, "o_bill_id IS NULL AND NOT l_gone AND l_aid_given_fen > 0")}
    UNION ALL
    {_judged("duplicated", _DAY, f"l_times > 1 OR (l_times > 0 AND {_LISTED_BESIDE})")}
    UNION ALL
    {_judged("wrong_day", _DAY, f"{_BOTH} AND o_business_date <> :day")}
    UNION ALL
    {_judged("wrong_day", "other_day", f"{_ONLY_OURS} AND o_state IN {_LIVING}", "beside")}
    UNION ALL
    {
    _judged(
        "cancelled_on_one_side",
        _DAY,
        f"{_BOTH} AND ((l_gone AND o_state IN {_LIVING}) OR (NOT l_gone AND o_state NOT IN {_LIVING}))",
    )
}
    UNION ALL
    {
    _judged(
        "aid_not_passed_on",
        _DAY,
        f"{_BOTH} AND NOT l_gone AND o_state IN {_LIVING} AND (COALESCE(l_aid_given_fen, {_AID}) <> {_AID} "
        f"OR ({_AID} > 0 AND {_MORE_CASH}))",
    )
}
    UNION ALL
    {
    _judged(
        "amount",
        _DAY,
        f"{_BOTH} AND NOT l_gone AND {_AID} = 0 AND COALESCE(l_aid_given_fen, 0) = 0 AND {_MORE_CASH}",
    )
}
)
{_FOUND}
"""
_SAME = """of_break.fund_id = found.fund_id AND of_break.source = found.source AND of_break.kind = found.kind
    AND of_break.area = found.area AND of_break.insurer_settlement_id = found.insurer_settlement_id"""


def _id(what: str) -> str:
    """Return the SQL of a UUIDv7 of this run's instant; its random digits follow from the run's id and the row."""
    digits = f"md5(:seed || {what})"
    return (
        f"CAST(lpad(to_hex(CAST(:milliseconds AS bigint)), 12, '0') || '7' || substr({digits}, 1, 3) || '8' "
        f"|| substr({digits}, 4, 15) AS uuid)"
    )


_AS_IT_WAS_RESOLVED = "interval '1 hour'"
"""A roster that comes while a break is resolved has an earlier time and is seen later; another look costs little."""
_OPEN = text(f"""
WITH fresh AS (
    INSERT INTO reconciliation_break (fund_id, break_id, source, kind, area, insurer_settlement_id, business_date,
        bill_id, hospital_code, figures, import_id, line, opened_at, status, step_count)
    SELECT fund_id, {_id("found.source || found.kind || found.area || found.insurer_settlement_id")}, source, kind,
           area, insurer_settlement_id, business_date, bill_id, hospital_code, figures, import_id, line, :at, 'open', 1
    FROM reconciliation_found AS found
    WHERE fund_id = :fund_id AND run_id = :run_id
      AND NOT EXISTS (
          SELECT FROM reconciliation_break AS of_break
          WHERE {_SAME} AND (of_break.status = 'open' OR (of_break.figures = found.figures
              AND (of_break.resolution = ANY (CAST(:final AS text[])) OR (
                  of_break.resolution = ANY (CAST(:by_a_person AS text[]))
                  AND of_break.import_id IS NOT DISTINCT FROM found.import_id)
                  OR (of_break.resolution = ANY (CAST(:until_the_roster AS text[])) AND NOT EXISTS (
                      SELECT FROM (
                          SELECT recorded_at AS at FROM membership WHERE membership.fund_id = :fund_id
                          UNION ALL
                          SELECT announced_at FROM unit_renewal WHERE unit_renewal.fund_id = :fund_id) AS covered
                      WHERE covered.at > of_break.resolved_at - {_AS_IT_WAS_RESOLVED}))))))
    RETURNING break_id, figures
)
INSERT INTO reconciliation_step (fund_id, break_id, step, kind, details, actor, at)
SELECT :fund_id, break_id, 1, 'opened', figures, :actor, :at FROM fresh
""")
_CHANGE = text(f"""
WITH seen AS MATERIALIZED (
    SELECT of_break.break_id, found.bill_id, found.figures, found.import_id, found.line,
           of_break.figures <> found.figures AS differs
    FROM reconciliation_found AS found JOIN reconciliation_break AS of_break ON {_SAME}
    WHERE found.fund_id = :fund_id AND found.run_id = :run_id AND of_break.status = 'open'
      AND (of_break.figures <> found.figures OR of_break.import_id IS DISTINCT FROM found.import_id)
), changed AS (
    UPDATE reconciliation_break AS of_break
    SET figures = seen.figures, bill_id = seen.bill_id, import_id = seen.import_id, line = seen.line,
        step_count = of_break.step_count + CAST(differs AS integer)
    FROM seen WHERE of_break.fund_id = :fund_id AND of_break.break_id = seen.break_id
    RETURNING of_break.break_id, of_break.figures, of_break.step_count, differs
)
INSERT INTO reconciliation_step (fund_id, break_id, step, kind, details, actor, at)
SELECT :fund_id, break_id, step_count, 'changed', figures, :actor, :at FROM changed WHERE differs
""")
_RESOLVE_VANISHED = text(f"""
WITH {_CURRENT}, {_COVERING}, vanished AS MATERIALIZED (
    SELECT of_break.break_id, other.file_day
    FROM reconciliation_break AS of_break
    LEFT JOIN LATERAL (
        SELECT file_day
        FROM {_listed_as("settlement", "of_break.area", "of_break.insurer_settlement_id")} AS line
        JOIN (SELECT file_day, import_id, 'bureau' AS source FROM current
              UNION SELECT file_day, import_id, 'hospital' FROM covering) AS counting USING (import_id)
        WHERE counting.source = of_break.source AND of_break.kind IN ('missing_there', 'hospital_missing')
          AND file_day IN (CAST(:day AS date) - 1, CAST(:day AS date) + 1)
        LIMIT 1) AS other ON true
    WHERE of_break.fund_id = :fund_id AND of_break.business_date = :day AND of_break.status = 'open'
      AND CASE of_break.kind WHEN 'missing_there' THEN :complete
          WHEN 'hospital_missing' THEN of_break.hospital_code = ANY (CAST(:complete_codes AS text[]))
          ELSE CASE of_break.source WHEN 'bureau' THEN :bureau
              ELSE of_break.hospital_code = ANY (CAST(:codes AS text[])) END END
      AND NOT EXISTS (
          SELECT FROM reconciliation_found AS found WHERE found.run_id = :run_id AND {_SAME})
), ended AS (
    UPDATE reconciliation_break AS of_break
    SET status = 'resolved', resolved_by = :actor, resolved_at = :at, step_count = step_count + 1,
        resolution = CASE WHEN file_day IS NULL THEN 'no_longer_seen' ELSE 'found_on_neighbouring_day' END
    FROM vanished WHERE of_break.fund_id = :fund_id AND of_break.break_id = vanished.break_id
    RETURNING of_break.break_id, step_count, resolution, file_day
)
INSERT INTO reconciliation_step (fund_id, break_id, step, kind, details, actor, at)
SELECT :fund_id, break_id, step_count, 'resolved',
       jsonb_strip_nulls(jsonb_build_object('resolution', resolution, 'day', file_day)), :actor, :at
FROM ended
""")
_COUNT = text("""
SELECT (SELECT count(*) FROM bill WHERE fund_id = :fund_id AND business_date = :day) AS recorded,
       (SELECT count(*) FROM reconciliation_line WHERE fund_id = :fund_id AND import_id = :import_id) AS bureau,
       (SELECT COALESCE(sum(line_count), 0) FROM reconciliation_import
        WHERE fund_id = :fund_id AND import_id IN (
            SELECT DISTINCT ON (code) import_id FROM reconciliation_import CROSS JOIN unnest(hospital_codes) AS code
            WHERE fund_id = :fund_id AND source = 'hospital' AND business_date = :day AND imported_at > :oldest
            ORDER BY code, import_id DESC)) AS hospital,
       (SELECT jsonb_object_agg(source, kinds) FROM (
            SELECT source, jsonb_object_agg(kind, times) AS kinds FROM (
                SELECT source, kind, count(*) AS times FROM reconciliation_found
                WHERE fund_id = :fund_id AND run_id = :run_id GROUP BY source, kind) AS counted
            GROUP BY source) AS by_source) AS found
""")
_ADD_RUN = text("""
INSERT INTO reconciliation_run VALUES (:fund_id, :run_id, :day, :import_id, CAST(:codes AS text[]), :recorded,
    :bureau_count, :hospital_count, :found, :opened, :resolved, :actor, :at)
""")


async def compare_day(connection: AsyncConnection, run: Run, lists: Lists, about_figures: Sequence[str]) -> Compared:
    """Compare the day's lists with our records; open what is new, close what is gone, and keep the run.

    `about_figures` are the questions of held bills whose own figures are what is asked about: they are not compared.
    """
    values = run.values() | {
        "import_id": lists.bureau_import_id,
        "bureau": lists.bureau_import_id is not None,
        "complete": lists.bureau_complete,
        "codes": list(lists.hospital_codes),
        "complete_codes": list(lists.complete_codes),
        "about_figures": list(about_figures),
        "final": [resolution.value for resolution in FINAL],
        "until_the_roster": [resolution.value for resolution in UNTIL_THE_ROSTER],
        "by_a_person": [resolution.value for resolution in BY_A_PERSON],
    }
    if lists.bureau_import_id is not None:
        await connection.execute(text(_BUREAU), values | {"source": Source.BUREAU.value})
    if lists.hospital_codes:
        await connection.execute(text(_HOSPITAL), values | {"source": Source.HOSPITAL.value})
    resolved = (await connection.execute(_RESOLVE_VANISHED, values)).rowcount
    await connection.execute(_CHANGE, values)
    opened = (await connection.execute(_OPEN, values)).rowcount
    counted = (await connection.execute(_COUNT, values)).one()
    compared = Compared(counted.recorded, counted.bureau, int(counted.hospital), counted.found or {}, opened, resolved)
    told = {
        "recorded": compared.recorded_count,
        "bureau_count": compared.bureau_count,
        "hospital_count": compared.hospital_count,
        "found": Json(compared.found),
        "opened": opened,
        "resolved": resolved,
    }
    await connection.execute(_ADD_RUN, values | told)
    return compared


_CONFIRM = text(f"""
WITH due AS MATERIALIZED (
    SELECT bill.bill_id, bill.event_count + 1 AS sequence
    FROM reconciliation_line AS line
    JOIN bill ON bill.fund_id = line.fund_id AND bill.area = line.area
        AND bill.insurer_settlement_id = line.insurer_settlement_id
    WHERE line.fund_id = :fund_id AND line.import_id = :import_id AND line.line > :after AND line.line <= :until
      AND line.entry = 'settlement' AND line.closes AND bill.state = 'live' AND bill.confirmed_at IS NULL
      AND bill.figures_digest = line.figures_digest
      AND (line.area, line.insurer_settlement_id) NOT IN (
          SELECT area, insurer_settlement_id FROM reconciliation_found
          WHERE fund_id = :fund_id AND run_id = :run_id AND source = 'bureau')
    FOR NO KEY UPDATE OF bill SKIP LOCKED
), told AS (
    INSERT INTO event (fund_id, bill_id, sequence, event_id, type, payload, actor, recorded_at)
    SELECT :fund_id, bill_id, sequence, {_id("CAST(bill_id AS text)")}, 'settlement.confirmed.v1',
           jsonb_build_object('by', CAST(:confirmed_by AS text)), :actor, :at
    FROM due
)
UPDATE bill SET confirmed_at = :at, confirmed_by = :confirmed_by, event_count = due.sequence
FROM due WHERE bill.fund_id = :fund_id AND bill.bill_id = due.bill_id
""")


async def confirm_agreed(
    connection: AsyncConnection, run: Run, import_id: UUID, confirmed_by: str, after: int, until: int
) -> int:
    """Confirm brought bills that agree with lines `after` to `until` of the bureau's list; return how many.

    By the same hash of figures by which the exchange confirms. A bill that somebody is just changing is left to the
    next run.
    """
    values = run.values() | {"import_id": import_id, "confirmed_by": confirmed_by, "after": after, "until": until}
    return (await connection.execute(_CONFIRM, values)).rowcount


async def list_neighbouring_runs(connection: AsyncConnection, fund_id: FundId, day: date) -> list[date]:
    """Return which of the days beside a day have been run before."""
    statement = text("""
        SELECT DISTINCT business_date FROM reconciliation_run
        WHERE fund_id = :fund_id AND business_date IN (CAST(:day AS date) - 1, CAST(:day AS date) + 1)
        ORDER BY business_date""")
    return list((await connection.execute(statement, {"fund_id": fund_id, "day": day})).scalars())


async def find_last_line(connection: AsyncConnection, fund_id: FundId, import_id: UUID) -> int:
    """Return the number of the last line that was staged of a list; 0 for an empty one."""
    statement = text(
        "SELECT COALESCE(max(line), 0) FROM reconciliation_line WHERE fund_id = :fund_id AND import_id = :import_id"
    )
    return int((await connection.execute(statement, {"fund_id": fund_id, "import_id": import_id})).scalar_one())
