"""The one table of Chinese words and file words: what a drop-down list offers and what the plan file calls it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from settlement.plans.labels import AMOUNT_NAMES, SPANS

Word = str | int | bool


@dataclass(frozen=True, slots=True)
class Words:
    """One drop-down list: the file's words with their Chinese, in the order in which it offers them."""

    title: str
    chinese: Mapping[Word, str]

    def zh(self, word: Word) -> str | None:
        """Return the Chinese of a file word."""
        return next((zh for known, zh in self.chinese.items() if known == word and type(known) is type(word)), None)

    def word(self, zh: str) -> Word | None:
        """Return the file word of a Chinese one."""
        return next((word for word, known in self.chinese.items() if known == zh), None)


YES_NO = Words("是否", {True: "是", False: "否"})
STAY_DATE = Words("住院归期", {"discharge": "出院日期", "admission": "入院日期"})
AGE_ON = Words("年龄按哪天", {"service_date": "就医当天", "term_start": "保障期第一天"})
CATEGORY_ON = Words("身份按哪天", {"service_date": "就医当天", "term_start": "保障期第一天"})
SPLIT = Words("跨期住院", {"none": "不拆分", "by_days": "按天数拆分"})
PROVISIONAL_AID = Words("暂定期补助", {"on_bill": "直接抵账单", "to_card": "打到银行卡", "none": "暂不补助"})
BORNE_BY = Words("未确认由谁承担", {"fund": "互助会", "unit": "单位", "member": "会员"})
SAME_STAY = Words(
    "合并住院要相同", {"diagnosis": "诊断相同", "hospital": "医院相同", "any": "不要求相同", "never": "从不合并"}
)
ROUNDING = Words(
    "舍入方式", {"half_up": "四舍五入", "half_even": "四舍六入五成双", "down": "舍去尾数", "up": "有尾数就进一"}
)
ROUNDING_PLACE = Words("舍入位置", {"bands_total": "各段合计后", "each_band": "每段分别"})
ROUNDING_STEP = Words("舍入到", {"fen": "分", "jiao": "角", "yuan": "元"})
COUNTS_AS = Words("账户支付", {"burden": "计入个人负担", "not_burden": "不计入个人负担"})
PAYER_PLACE = Words("支付次序", {"after": "在其他保障之后", "before": "在其他保障之前"})
LATER_PAYER = Words("后来的支付方", {"leave": "不作处理", "propose": "提出重算建议"})
EARLIER_CHANGES = Words(
    "前面账单变动", {"leave": "不作处理", "propose": "提出重算建议", "raise": "有利会员的直接补，其余提建议"}
)
CORRECTION_PLACE = Words("更正的账单", {"kept": "沿用原账单的次序", "new": "按新账单排序"})
RECOVERY = Words("多付追回", {"by_person": "由人工办理"})
IF_NOT_STATED = Words("医院未报时", {"zero": "按零计算", "hold": "暂挂并询问"})
TERM_KIND = Words(
    "保障期种类",
    {
        "calendar_year": "自然年度",
        "year_from": "每年从某日起一年",
        "months_from": "从某日起每若干个月",
        "named": "逐期公布",
        "own_cover": "会员自己的参保期",
    },
)
SPAN = Words("范围", {span.value: zh for span, zh in SPANS.items()})
RULE = Words(
    "规则",
    {
        "deductible": "起付线",
        "franchise": "门槛",
        "rate": "补助比例",
        "minimum": "最低补助",
        "burden_limit": "不超过个人负担",
        "term_limit": "每期限额",
        "limit": "限额",
        "less_paid": "扣除其他待遇已付",
        "not_beside": "与其他待遇不可兼得",
        "only_beside": "须已享受其他待遇",
    },
)
BANDS_RULE = "bands"
"""The one rule that has a sheet of its own."""
REACHED = Words("门槛恰好达到", {"at": "恰好达到即补助", "above": "须超过才补助"})
METHOD = Words("分段方法", {"progressive": "各段分别计算", "whole": "全额按所在段"})
COUNTING = Words(
    "计日方法",
    {"nights": "按夜数", "nights_at_least_one": "按夜数，至少一天", "both_days": "入院日出院日都算"},
)
GROUP_OF = Words("合计限额包含", {"all": "本方案全部待遇", "all_plans": "本会全部方案"})

AMOUNT = Words("账单金额", {name: zh for name, (zh, _) in AMOUNT_NAMES.items()})
AID_PREFIX = "补助 "
"""Before a benefit's code in a list of amounts: what that benefit pays for the bill."""

FACT = Words(
    "事实",
    {
        "care": "门诊或住院",
        "setting": "就医方式",
        "place": "就医地",
        "hospital_level": "医院等级",
        "hospital_category": "医院类别",
        "insurance_type": "险种",
        "insured": "医保已结算",
        "accident": "意外伤害",
        "diagnosis": "诊断",
        "event": "事件",
        "severity": "程度",
        "person_category": "人员类别",
        "age": "年龄",
        "sex": "性别",
        "region": "地区",
        "unit_class": "单位类别",
        "union_member": "工会会员",
        "days_covered": "连续参保天数",
        "consecutive_terms": "连续参保期数",
        "returned": "中断后重新参保",
        "stay_ordinal": "本期第几次住院",
        "stay_days": "住院天数",
        "referral": "转诊",
        "income_class": "收入类别",
        "service_months": "工龄月数",
    },
)
CASE_ONLY_FACT = Words(
    "算例另有的事实",
    {
        "settled_on": "结算日期",
        "admitted_on": "入院日期",
        "discharged_on": "出院日期",
        "hospital": "医院",
        "visit": "就诊号",
        "receipt": "票据号",
        "event_on": "事件日期",
        "born_on": "出生日期",
        "shares": "持有份数",
        "covers": "参保期间",
    },
)
FACT_VALUES: Mapping[str, Words] = {
    "care": Words("门诊住院", {"outpatient": "门诊", "inpatient": "住院"}),
    "setting": Words(
        "就医方式",
        {
            "outpatient": "普通门诊",
            "emergency": "急诊",
            "special_outpatient": "规定病种门诊",
            "inpatient": "住院",
            "day_surgery": "日间手术",
            "observation": "留院观察",
            "home_bed": "家庭病床",
        },
    ),
    "place": Words("就医地", {"local": "本地", "elsewhere": "异地"}),
    "hospital_level": Words("医院等级", {3: "三级", 2: "二级", 1: "一级"}),
    "person_category": Words(
        "人员类别",
        {
            "active": "在职",
            "retired": "退休",
            "retired_cadre": "离休",
            "minor_resident": "未成年居民",
            "adult_resident": "成年居民",
            "elderly_resident": "老年居民",
        },
    ),
    "sex": Words("性别", {"female": "女", "male": "男"}),
    "event": Words("事件", {"none": "无事件"}),
}
"""Facts whose values have Chinese words; the values of other facts are codes, numbers, or yes and no."""

LISTS = (
    YES_NO, STAY_DATE, CATEGORY_ON, AGE_ON, SPLIT, PROVISIONAL_AID, BORNE_BY, SAME_STAY, ROUNDING, ROUNDING_PLACE,
    ROUNDING_STEP, COUNTS_AS, PAYER_PLACE, LATER_PAYER, EARLIER_CHANGES, CORRECTION_PLACE, RECOVERY, IF_NOT_STATED,
    TERM_KIND, SPAN, RULE, REACHED, METHOD, COUNTING, GROUP_OF, AMOUNT, FACT, CASE_ONLY_FACT, *FACT_VALUES.values(),
)  # fmt: skip
"""Every list, in the order of the sheet of words."""

ANY_FACT = Words("全部事实", {**FACT.chinese, **CASE_ONLY_FACT.chinese})
