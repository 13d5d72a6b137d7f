"""The sheets of the workbook: which key of the plan file stands in which column or behind which question.

A key that no sheet has would be lost on the way: a test holds the sheets against the model.
"""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel

from settlement.plans.model import (
    Band,
    Bands,
    BandsChoice,
    BenefitRules,
    Between,
    BurdenLimit,
    Case,
    CaseAmounts,
    CaseBill,
    CaseFacts,
    Condition,
    Deductible,
    Franchise,
    FundingShare,
    GroupLimit,
    Header,
    LessPaid,
    Limit,
    LumpSum,
    Minimum,
    Modifier,
    Module,
    NotBeside,
    OnlyBeside,
    OrdinaryFacts,
    PerDay,
    PlanFile,
    RateChoice,
    RateRule,
    TermLimit,
    VersionBody,
    Waiting,
    YuanChoice,
)
from settlement.plans.model.benefit import Purse
from settlement.plans.model.cases import CaseCover
from settlement.plans.model.file import Event, StatedAmount
from settlement.plans.model.membership import CalendarYear, MonthsFrom, NamedTerm, NamedTerms, OwnCover, YearFrom
from settlement.plans.model.rules import DayBand
from settlement.plans.sheets import words
from settlement.plans.sheets.cells import (
    AMOUNTS_OF_BILL,
    CODES,
    COUNT,
    COVERS,
    DATE,
    FACT_NAME,
    GROUP,
    MONTH_DAY,
    POINTS,
    RATE,
    SHARES,
    SHORT,
    TEXT,
    WHEN,
    YUAN,
    Cell,
    fact_cell,
    nullable,
    reference_cell,
    word_cell,
)

Model = type[BaseModel]
VERSION_KEY, OWNER_KEY, MODULE_KEY, NUMBER_KEY, CHOICE_KEY = "@version", "@benefit", "@module", "@number", "@choice"
"""Columns that say what a row belongs to; the plan file says it by nesting."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its heading, the key that it holds (`names.zh` is a key within a key), and whose key that is.

    A `head` says something about the whole that several rows make up and stands in the first of them; a `choice` says
    something about one of several cases and stands in the first row of that case.
    """

    heading: str
    key: str
    cell: Cell
    of: tuple[Model, ...] = ()
    width: int = 14
    level: str = "line"


@dataclass(frozen=True, slots=True)
class Table:
    """A sheet with one table; `structure` names the keys that are made by its rows belonging together."""

    name: str
    hint: str
    columns: tuple[Column, ...]
    structure: tuple[tuple[Model, str], ...] = ()

    def column(self, key: str) -> Column | None:
        """Return the column of a key, if there is one."""
        return next((column for column in self.columns if column.key == key), None)


@dataclass(frozen=True, slots=True)
class Question:
    """A question with the key of its answer, and the key of the clause beside it where it has one.

    Keys are as in the file, `rounding.mode`; `help` says what the answer means. A key that is a list of texts may be
    answered in several rows.
    """

    part: str
    text: str
    key: str
    cell: Cell
    help: str = ""
    clause: str | None = None
    several: bool = False


@dataclass(frozen=True, slots=True)
class Questionnaire:
    """A sheet of questions with answers; `owners` are columns before them that say about which part it asks."""

    name: str
    hint: str
    model: Model
    questions: tuple[Question, ...]
    owners: tuple[Column, ...] = ()
    has_clauses: bool = True
    structure: tuple[tuple[Model, str], ...] = ()

    def question(self, text: str) -> Question | None:
        """Return a question by its text."""
        return next((question for question in self.questions if question.text == text), None)


VERSION = Column("版本", VERSION_KEY, reference_cell("versions"), width=10)
BENEFIT = Column("待遇", OWNER_KEY, reference_cell("benefits"), width=28)
MODULE = Column("模块", MODULE_KEY, reference_cell("modules"), width=18)
NUMBER = Column("规则序号", NUMBER_KEY, COUNT, width=9)
CHOICE = Column("情形", CHOICE_KEY, COUNT, width=7, level="choice")
PART, QUESTION, ANSWER, CLAUSE, HELP = "项目", "问题", "回答", "依据", "说明"

_BY = (YuanChoice, RateChoice)
_HEAD = "head"


def _clause(*of: Model, level: str = "line", heading: str = CLAUSE, key: str = "clause") -> Column:
    return Column(heading, key, TEXT, of, 44, level)


def _names(of: Model, level: str = "line") -> tuple[Column, Column]:
    return (
        Column("中文名称", "names.zh", TEXT, (of,), 24, level),
        Column("英文名称", "names.en", TEXT, (of,), 24, level),
    )


def _when(*of: Model, level: str = "line") -> Column:
    return Column("适用条件", "when", WHEN, of, 32, level)


def _label(*of: Model, level: str = "line") -> Column:
    return Column("告诉会员的话", "label", TEXT, of, 28, level)


def _per_share(*of: Model, level: str = "line") -> Column:
    return Column("按份数倍增", "per_share", word_cell(words.YES_NO), of, 11, level)


PLAN = Questionnaire(
    "方案",
    "整个方案只回答一次。黄色格是要填的；不适用的问题空着。公布的规则没有写明的，写「本方案约定：……」作依据。",
    Header,
    (
        Question("名称", "方案代码", "code", SHORT, "小写字母、数字、下划线；公布后不再改"),
        Question("名称", "方案中文名称", "names.zh", TEXT),
        Question("名称", "方案英文名称", "names.en", TEXT),
        Question("名称", "规则公布在哪里", "source", TEXT, "文件名称、年份"),
        Question("名称", "读者须知", "notes", TEXT, "可以有几行，每行一条：再写一行同样的问题", several=True),
        Question(
            "日期", "住院按哪个日期归入版本和保障期", "stay_date", word_cell(words.STAY_DATE), "门诊总是按结算当天"
        ),
        Question(
            "日期", "跨两个保障期的住院怎样处理", "spanning.split", word_cell(words.SPLIT), "", "spanning.clause"
        ),
        Question(
            "日期", "人员类别按哪一天的算", "category_on", word_cell(words.CATEGORY_ON), "空着：就医当天"
        ),
        Question("日期", "年龄按哪一天的算", "age_on", word_cell(words.AGE_ON), "空着：就医当天"),
        Question(
            "参保", "两段参保之间最多间隔几天仍算连续", "continuity.grace_days", COUNT, "天数", "continuity.clause"
        ),
        Question(
            "参保", "换期时暂定参保到哪一天", "provisional.until", MONTH_DAY, "月日，如 02-28", "provisional.clause"
        ),
        Question("参保", "暂定期间的补助给到哪里", "provisional.aid", word_cell(words.PROVISIONAL_AID)),
        Question(
            "参保", "最后没有确认参保的由谁承担", "provisional.unconfirmed_borne_by", word_cell(words.BORNE_BY)
        ),
        Question(
            "住院", "出院后几天内再入院算同一次住院", "stays.merge_within_days", COUNT, "天数", "stays.clause"
        ),
        Question(
            "住院", "再入院还须什么相同才算同一次", "stays.same", word_cell(words.SAME_STAY), "从不合并的，天数空着"
        ),
        Question("计算", "怎样舍入", "rounding.mode", word_cell(words.ROUNDING), "", "rounding.clause"),
        Question("计算", "在哪里舍入", "rounding.place", word_cell(words.ROUNDING_PLACE)),
        Question("计算", "舍入到分、角还是元", "rounding.step", word_cell(words.ROUNDING_STEP), "空着：分"),
        Question(
            "计算", "个人账户支付的部分", "account_money.counts_as", word_cell(words.COUNTS_AS), "",
            "account_money.clause",
        ),
        Question(
            "计算", "家庭共济账户支付的部分", "family_account_money.counts_as", word_cell(words.COUNTS_AS),
            "空着：与个人账户相同", "family_account_money.clause",
        ),
        Question(
            "其他保障", "本方案排在其他保障之前还是之后", "other_payers.place", word_cell(words.PAYER_PLACE), "",
            "other_payers.clause",
        ),
        Question("其他保障", "其他保障后来支付的怎样处理", "other_payers.later_payer", word_cell(words.LATER_PAYER)),
        Question(
            "更正", "前面的账单变动时，后面的账单怎样处理", "earlier_changes.effect",
            word_cell(words.EARLIER_CHANGES), "", "earlier_changes.clause",
        ),
        Question(
            "更正", "更正后的账单排在哪里", "corrections.place", word_cell(words.CORRECTION_PLACE), "",
            "corrections.clause",
        ),
        Question(
            "更正", "多付的怎样追回", "overpayment.recovery", word_cell(words.RECOVERY), "", "overpayment.clause"
        ),
        Question("文件", "文件格式", "@format", COUNT, "不要改"),
    ),
    structure=((PlanFile, "plan"), (PlanFile, "format"), (Header, "covers"), (Header, "events"), (Header, "stated")),
)  # fmt: skip

EVENTS = Table(
    "事件",
    "申请补助时说明的事件，如确诊、身故。没有就空着。",
    (
        Column("代码", "code", SHORT, (Event,), 18),
        *_names(Event),
        Column("程度代码", "severities", CODES, (Event,), 24),
        _clause(Event),
    ),
)
STATED = Table(
    "医院另报金额",
    "医保结算信息里没有、由医院另报的金额，如床位费超标部分。没有就空着。",
    (
        Column("代码", "code", SHORT, (StatedAmount,), 18),
        *_names(StatedAmount),
        Column("医院未报时", "if_not_stated", word_cell(words.IF_NOT_STATED), (StatedAmount,), 16),
        _clause(StatedAmount),
    ),
)
VERSIONS = Table(
    "版本",
    "每次待遇标准变动是一个版本，从生效日期起到下一版本之前。已经公布的版本不能改，只能另起一个新版本。",
    (
        Column("版本", "version", SHORT, (VersionBody,), 12),
        Column("生效日期", "effective_from", DATE, (VersionBody,), 14),
        _clause(VersionBody),
    ),
    ((PlanFile, "versions"), *((VersionBody, key) for key in ("modules", "purses", "benefits", "limits"))),
)
CONDITIONS = Table(
    "参加条件",
    "版本和待遇都空着的行：整个方案的参加条件；写了待遇的行：那项待遇的条件。取值、至少至多二者写一种。",
    (
        VERSION,
        BENEFIT,
        Column("事实", "fact", FACT_NAME, (Condition,), 20),
        Column("取值", "one_of", TEXT, (Condition,), 30),
        Column("至少", "at_least", COUNT, (Condition,), 8),
        Column("至多", "at_most", COUNT, (Condition,), 8),
        _when(Condition),
        _clause(Condition),
        _label(Condition),
    ),
    ((BenefitRules, "conditions"),),
)
MODULES = Table(
    "模块",
    "会员分别参加的部分。只有一个部分的方案空着。",
    (
        VERSION,
        Column("代码", "code", SHORT, (Module,), 18),
        *_names(Module),
        Column("人人都有", "basic", word_cell(words.YES_NO), (Module,), 10),
        Column("最多份数", "shares_at_most", COUNT, (Module,), 10),
        _clause(Module),
    ),
    ((Module, "term"), (Module, "waiting")),
)
_TERMS = (CalendarYear, YearFrom, MonthsFrom, NamedTerms, OwnCover)
TERMS = Table(
    "保障期",
    "限额和累计按哪段时间算。写模块或者写待遇；待遇自己的保障期先于模块的。逐期公布的，一期一行。",
    (
        VERSION,
        MODULE,
        BENEFIT,
        Column("种类", "kind", word_cell(words.TERM_KIND), _TERMS, 24, _HEAD),
        Column("每年从几月几日", "starts", MONTH_DAY, (YearFrom,), 16, _HEAD),
        Column("首期第一天", "first_day", DATE, (MonthsFrom,), 14, _HEAD),
        Column("每期月数", "months", COUNT, (MonthsFrom,), 10, _HEAD),
        _clause(*_TERMS, level=_HEAD),
        Column("期名", "term.code", SHORT, (), 12),
        Column("本期第一天", "term.first_day", DATE, (), 14),
        Column("本期最后一天", "term.last_day", DATE, (), 14),
    ),
    (
        (NamedTerms, "terms"), (NamedTerm, "code"), (NamedTerm, "first_day"), (NamedTerm, "last_day"),
        (BenefitRules, "term"),
    ),
)  # fmt: skip
WAITING = Table(
    "等待期",
    "参加后最初几天不补助。写模块或者写待遇；待遇自己的等待期先于模块的。",
    (
        VERSION,
        MODULE,
        BENEFIT,
        Column("天数", "days", COUNT, (Waiting,), 8),
        Column("意外不受限", "waived_for_accidents", word_cell(words.YES_NO), (Waiting,), 12),
        _clause(Waiting),
        _label(Waiting),
    ),
    ((BenefitRules, "waiting"),),
)
BENEFITS = Questionnaire(
    "待遇",
    "每项待遇一组问题，次序就是计算的次序。增加一项待遇：复制一组行，改代码。分段、限额、条件在各自的表里。",
    BenefitRules,
    (
        Question("名称", "待遇中文名称", "names.zh", TEXT),
        Question("名称", "待遇英文名称", "names.en", TEXT),
        Question("名称", "属于哪个模块", "module", reference_cell("modules"), "没有模块的空着"),
        Question(
            "基数", "补助从哪些金额算起（相加）", "base.plus", AMOUNTS_OF_BILL,
            "几项之间用顿号；金额的名称见「词语」表", "base.clause",
        ),
        Question(
            "基数", "算起之前减去哪些金额", "base.minus", AMOUNTS_OF_BILL,
            "「补助 代码」是前面那项待遇为这张账单付的",
        ),
        Question("负担", "个人负担由哪些金额相加", "burden.plus", AMOUNTS_OF_BILL, "", "burden.clause"),
        Question("负担", "个人负担减去哪些金额", "burden.minus", AMOUNTS_OF_BILL),
        Question(
            "累计", "规则按什么范围累计计算", "accumulation.over", word_cell(words.SPAN),
            "每次结算：每张账单各算各的；每期：全期累计，减去已付", "accumulation.clause",
        ),
        Question(
            "人工", "由人工决定：基数累计到多少元才提出", "manual.threshold", YUAN,
            "由人工决定的才填；没有门槛的金额空着", "manual.clause",
        ),
        Question("人工", "由人工决定：告诉会员的话", "manual.label", TEXT),
    ),
    (VERSION, BENEFIT),
    structure=(
        (BenefitRules, "code"), (BenefitRules, "rules"), (BenefitRules, "per_day"), (BenefitRules, "lump_sum"),
    ),
)  # fmt: skip
BANDS = Table(
    "分段",
    "每行一段，金额写元。同一张分段表的行，版本、待遇、规则序号、情形都相同；不同情况用不同的表时，情形写 1、2、3，"
    "最后一种情形不写适用条件。最后一段没有上限。计算方法空着：各段分别计算。",
    (
        VERSION,
        BENEFIT,
        NUMBER,
        Column("计算方法", "method", word_cell(words.METHOD), (Bands,), 16, _HEAD),
        CHOICE,
        _when(BandsChoice, level="choice"),
        Column("超过（不含）", "above", YUAN, (Band,), 13),
        Column("从（含）", "from", YUAN, (Band,), 13),
        Column("至（含）", "up_to", YUAN, (Band,), 13),
        Column("不足（不含）", "below", YUAN, (Band,), 13),
        Column("补助比例", "rate", RATE, (Band,), 11),
        Column("定额补助", "pays", YUAN, (Band,), 11),
        _clause(Band),
        _clause(BandsChoice, level="choice", heading="情形依据", key="choice_clause"),
    ),
    ((Bands, "rule"), (Bands, "bands"), (Bands, "choices"), (Bands, "modifiers"), (BandsChoice, "bands"),
     (BandsChoice, "clause"), (RateRule, "modifiers")),
)  # fmt: skip
MODIFIERS = Table(
    "比例增减",
    "给某条分段或比例规则的补助比例加减百分点，如 +5、-10。规则序号与「分段」或「限额与起付」里的相同。",
    (
        VERSION,
        BENEFIT,
        NUMBER,
        Column("百分点", "add", POINTS, (Modifier,), 10),
        _when(Modifier),
        Column("按什么累加", "per", FACT_NAME, (Modifier,), 18),
        Column("前几个不加", "beyond", COUNT, (Modifier,), 12),
        Column("累加最多", "at_most", POINTS, (Modifier,), 11),
        _clause(Modifier),
    ),
)
_RULES = (
    Deductible, Franchise, RateRule, Minimum, BurdenLimit, TermLimit, Limit, LessPaid, NotBeside, OnlyBeside,
)  # fmt: skip
SPAN_KEY, OTHERS_KEY = "over", "benefits"
SAME_COLUMN = {("deductible", "once_per"): SPAN_KEY, ("less_paid", "by"): OTHERS_KEY}
"""Keys of rules that ask what another key asks of other rules, and stand in its column."""
RULES = Table(
    "限额与起付",
    "每行一条规则，规则序号是先后次序（分段也占一个序号）。金额或比例随情况不同的，一种情况一行：序号相同，"
    "情形写 1、2、3，最后一种不写适用条件。",
    (
        VERSION,
        BENEFIT,
        NUMBER,
        Column("规则", "rule", word_cell(words.RULE), _RULES, 22, _HEAD),
        Column("范围", SPAN_KEY, word_cell(words.SPAN), (Limit, LessPaid, NotBeside, OnlyBeside), 12, _HEAD),
        CHOICE,
        _when(*_BY, level="choice"),
        Column("金额", "amount", YUAN, (Deductible, Franchise, Minimum, TermLimit, Limit), 13, "choice"),
        Column("补助比例", "rate", RATE, (RateRule,), 11, "choice"),
        Column("天数", "days", COUNT, (Limit,), 8, _HEAD),
        Column("次数", "times", COUNT, (Limit,), 8, _HEAD),
        _clause(*_RULES, level=_HEAD),
        _per_share(TermLimit, Limit, level=_HEAD),
        Column("门槛恰好达到", "reached", word_cell(words.REACHED), (Franchise,), 16, _HEAD),
        Column("涉及哪些待遇", OTHERS_KEY, CODES, (NotBeside, OnlyBeside), 20, _HEAD),
        _clause(level="choice", heading="情形依据", key="choice_clause"),
    ),
    (
        *((choice, key) for choice in _BY for key in ("value", "clause")), (Deductible, "once_per"), (LessPaid, "by"),
    ),
)  # fmt: skip
PER_DAY = Table(
    "按日补助",
    "按住院天数补助的待遇，每行一段天数；最后一段没有「到第几天」。",
    (
        VERSION,
        BENEFIT,
        Column("计日方法", "counting", word_cell(words.COUNTING), (PerDay,), 18, _HEAD),
        Column("至少住几天", "minimum_stay", COUNT, (PerDay,), 12, _HEAD),
        _per_share(PerDay, level=_HEAD),
        _clause(PerDay, level=_HEAD),
        Column("从第几天", "from_day", COUNT, (DayBand,), 10),
        Column("到第几天", "to_day", COUNT, (DayBand,), 10),
        Column("每天多少元", "amount", YUAN, (DayBand,), 12),
        _clause(DayBand, heading="本段依据", key="day_clause"),
    ),
    ((PerDay, "days"), (DayBand, "clause")),
)
LUMP_SUMS = Table(
    "一次性待遇",
    "一次付清的待遇。金额随情况不同的，一种情况一行，情形写 1、2、3，最后一种不写适用条件。",
    (
        VERSION,
        BENEFIT,
        CHOICE,
        _when(level="choice"),
        Column("金额", "amount", YUAN, (LumpSum,), 13, "choice"),
        _per_share(LumpSum, level=_HEAD),
        Column("程度加重补差额", "upgrade", word_cell(words.YES_NO), (LumpSum,), 16, _HEAD),
        _clause(LumpSum, level=_HEAD),
        _label(LumpSum, level=_HEAD),
        _clause(level="choice", heading="情形依据", key="choice_clause"),
    ),
)
GROUP_LIMITS = Table(
    "合计限额",
    "几项待遇合在一起最多付多少。写金额，或者写个人负担的加项减项。",
    (
        VERSION,
        Column("代码", "code", SHORT, (GroupLimit,), 16, _HEAD),
        *_names(GroupLimit, _HEAD),
        Column("包含哪些待遇", "of", GROUP, (GroupLimit,), 26, _HEAD),
        Column("范围", "over", word_cell(words.SPAN), (GroupLimit,), 12, _HEAD),
        CHOICE,
        _when(level="choice"),
        Column("金额", "amount", YUAN, (GroupLimit,), 13, "choice"),
        Column("不超过个人负担：加项", "burden.plus", AMOUNTS_OF_BILL, (GroupLimit,), 24, _HEAD),
        Column("不超过个人负担：减项", "burden.minus", AMOUNTS_OF_BILL, (GroupLimit,), 24, _HEAD),
        _clause(GroupLimit, level=_HEAD, heading="个人负担的依据", key="burden.clause"),
        _clause(GroupLimit, level=_HEAD),
        _clause(level="choice", heading="情形依据", key="choice_clause"),
    ),
)
PURSES = Table(
    "资金",
    "由哪些资金承担补助。只有一笔资金的方案空着。",
    (VERSION, Column("代码", "code", SHORT, (Purse,), 16), *_names(Purse), _clause(Purse)),
)
FUNDING = Table(
    "资金分担",
    "每项待遇由哪笔资金承担多少；最后一笔不写比例，承担其余部分。",
    (
        VERSION,
        BENEFIT,
        Column("资金", "purse", reference_cell("purses"), (FundingShare,), 20),
        Column("承担比例", "rate", RATE, (FundingShare,), 12),
    ),
    ((BenefitRules, "funding"),),
)


def _case_fact_cell(name: str) -> Cell:
    """Return the cell of a fact of a worked case; `未知` says that it is not known."""
    if name in ("settled_on", "admitted_on", "discharged_on", "event_on", "born_on"):
        return nullable(DATE)
    if name == "shares":
        return SHARES
    if name == "covers":
        return COVERS
    if name in ("insured", "accident", "union_member"):
        return nullable(word_cell(words.YES_NO))
    return nullable(COUNT if name == "age" else _listed(name))


def _listed(name: str) -> Cell:
    cell, listed = fact_cell(name), words.FACT_VALUES.get(name)
    return Cell(cell.write, cell.read, listed if name != "event" else None, centred=True)


CASE_FACT_CELLS = {name: _case_fact_cell(name) for name in CaseFacts.model_fields if words.ANY_FACT.zh(name)}
_FACT_HELP = {
    "visit": "写相同就诊号的账单属于同一次就诊",
    "shares": "如 critical = 2；几项之间用分号",
    "covers": "如 2026-01-01 至 2026-12-31；几段之间用分号",
}
CASE_FACTS = Questionnaire(
    "算例事实",
    "各算例共同的情况；某张账单不同的，写在「算例」表里。空着：没有说明；「未知」：不知道。",
    OrdinaryFacts,
    tuple(
        Question("", words.ANY_FACT.zh(name) or name, name, cell, _FACT_HELP.get(name, ""))
        for name, cell in CASE_FACT_CELLS.items()
    ),
    has_clauses=False,
    structure=((PlanFile, "case_facts"), *((CaseCover, key) for key in CaseCover.model_fields)),
)
CASE_NUMBER, CASE_PAYS, CASE_STATED = "@case", "pays", "stated"
PAYS_HEADING, STATED_HEADING, FACT_HEADING = "应补助：", "另报：", "事实："
COMPUTED_HEADING = "导出时核对"
CASE_AMOUNTS = tuple(name for name in CaseAmounts.model_fields if words.AMOUNT.zh(name))
CASES = Table(
    "算例",
    "每行一张账单，同一算例的账单写同一个算例号，按先后排列；金额写元，没有写的为零。"
    "需要别的金额或事实时加一列，标题如「其他保障支付」「事实：年龄」「应补助：代码」「另报：代码」。",
    (
        Column("算例号", CASE_NUMBER, COUNT, (), 8),
        Column("算例", "name", TEXT, (Case,), 30, _HEAD),
        *(Column(str(words.AMOUNT.zh(name)), f"amounts.{name}", YUAN, (), 13) for name in CASE_AMOUNTS),
        *(
            Column(f"{FACT_HEADING}{words.ANY_FACT.zh(name)}", f"facts.{name}", cell, (), 15)
            for name, cell in CASE_FACT_CELLS.items()
        ),
        Column("须人工处理的待遇", "asks", CODES, (CaseBill,), 18),
        Column("缺少的事实", "missing", FACT_NAME, (CaseBill,), 15),
        Column("当天没有参保", "not_covered", word_cell(words.YES_NO), (CaseBill,), 12),
        Column("说明", "note", TEXT, (Case,), 60, _HEAD),
    ),
    (
        (PlanFile, "cases"),
        (Case, "bills"),
        *((CaseBill, key) for key in ("amounts", "facts", CASE_PAYS)),
        *((CaseAmounts, key) for key in (*CASE_AMOUNTS, CASE_STATED)),
        *((CaseFacts, key) for key in CASE_FACT_CELLS),
        *((Between, key) for key in Between.model_fields),
    ),
)
CASE_SHOWN = frozenset(
    {CASE_NUMBER, "name", "note", "asks", "missing", "amounts.allowed", "amounts.excluded", "amounts.upfront_share",
     "amounts.insurer_paid", "facts.admitted_on", "facts.discharged_on", "facts.settled_on", "facts.hospital_level"}
)  # fmt: skip
"""Columns of cases that are always shown; the others are where a case needs them."""

SHEETS: tuple[Table | Questionnaire, ...] = (
    PLAN, VERSIONS, CONDITIONS, BENEFITS, BANDS, RULES, PER_DAY, LUMP_SUMS, GROUP_LIMITS, MODIFIERS, MODULES, TERMS,
    WAITING, PURSES, FUNDING, EVENTS, STATED, CASE_FACTS, CASES,
)  # fmt: skip
"""The sheets that are read, in the order of the workbook's tabs."""
ABOUT, WORDS, OWN_NOTES = "说明", "词语", "备注"
"""Sheets that are not read; a clerk's own sheets have names that begin with the last of these."""
