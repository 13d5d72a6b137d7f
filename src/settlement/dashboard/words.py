"""What the record has as codes, in the words of the office. Sentences about money are in `domain/sentences.py`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from settlement.domain.reconciliation import BreakKind, Resolution, Source
from settlement.domain.settlements import BillState, Door

STATES: Final[Mapping[BillState, str]] = {
    BillState.LIVE: "有效",
    BillState.HELD: "待补",
    BillState.REVERSED: "已冲销",
    BillState.RESOLVED: "已查明",
    BillState.REPLACED: "已更正",
    BillState.PENDING: "待查",
    BillState.CANCELLED_UNSEEN: "撤销先到",
}

DOORS: Final[Mapping[Door, str]] = {
    Door.API: "医院接口",
    Door.FACADE: "医保接口转接",
    Door.EXCHANGE: "医保推送",
    Door.CATCH_UP: "对账补录",
    Door.CLAIMS: "窗口申请",
}

ROLES: Final[Mapping[str, str]] = {
    "clerk": "经办人",
    "approver": "批准人",
    "auditor": "审计",
    "operator": "运维",
}

FUNDS: Final[Mapping[str, str]] = {
    "hifp": "基本医保统筹基金",
    "cvlserv": "公务员医疗补助",
    "hifes": "企业补充医疗保险",
    "hifmi": "居民大病保险",
    "hifob": "职工大额医疗补助",
    "hifdm": "伤残人员医疗保障",
    "maf": "医疗救助",
    "oth": "其他基金",
    "unnamed": "未列名目的基金",
}

EQUATION: Final[Mapping[str, str]] = {
    "billed": "医疗费总额",
    **FUNDS,
    "provider_absorbed": "医院负担",
    "account_paid": "个人账户支付",
    "mutual_aid_on_bill": "职工医疗互助支付",
    "other_on_bill": "其他支付",
    "cash_due": "个人应付现金",
}

_ACCOUNTS: Final[Mapping[str, str]] = {
    "care": "医疗费",
    "aid": "互助支出",
    "payable:hospital": "应付医院",
    "payable:member": "应付职工",
    "payer:provider": "付款：医院负担",
    "payer:account": "付款：个人账户",
    "payer:mutual_aid": "付款：职工医疗互助",
    "payer:other": "付款：其他",
    "payer:patient": "付款：个人现金",
    **{f"payer:{code}": f"付款：{name}" for code, name in FUNDS.items()},
}

FIGURES: Final[Mapping[str, str]] = {
    "aid_before": "原互助金额",
    "aid_now": "现在应得互助",
    "aid_recorded": "已记互助金额",
    "cancelled_unseen": "先到的撤销",
    "door": "再次收到的来源",
    "figures_digest": "再次收到的金额摘要",
    "net": "差额合计",
    "question": "还缺什么",
    "other": "另一张有效单据",
    "replaces": "被更正的单据",
    "rerating": "重算建议",
    "said": "医保的回答",
    "service_date": "费用发生日",
    "term": "保障期",
    "tries": "已问次数",
}
"""What the figures of a worklist item are called; one without a line here is shown by its own name."""

RERATINGS: Final[Mapping[str, str]] = {
    "proposed": "待决定",
    "applied": "已执行",
    "declined": "不执行",
    "lapsed": "已失效：单据已有变化，如仍有差额会重新提出",
}
"""What became of a proposed re-rating."""

SOURCES: Final[Mapping[Source, str]] = {Source.BUREAU: "医保清单", Source.HOSPITAL: "医院清单"}

BREAKS: Final[Mapping[BreakKind, str]] = {
    BreakKind.MISSING_HERE: "本系统缺",
    BreakKind.MISSING_THERE: "医保缺",
    BreakKind.HOSPITAL_MISSING: "医院缺",
    BreakKind.AMOUNT: "金额不符",
    BreakKind.PAYER: "基金支付不符",
    BreakKind.CANCELLED_ON_ONE_SIDE: "单方撤销",
    BreakKind.WRONG_DAY: "日期不符",
    BreakKind.DUPLICATED: "重复",
    BreakKind.AID_NOT_PASSED_ON: "互助未如数给付",
    BreakKind.AID_TO_UNKNOWN: "无记录的互助",
}

RESOLUTIONS: Final[Mapping[Resolution, str]] = {
    Resolution.NO_LONGER_SEEN: "复核时已无差异",
    Resolution.FOUND_ON_NEIGHBOURING_DAY: "在前后一日的清单中找到",
    Resolution.SETTLED_BY_CATCH_UP: "已补记",
    Resolution.NOT_OURS: "不属互助范围",
    Resolution.NOT_COVERED: "当日未参保，名册补到后对账会再提出",
    Resolution.REVERSED_HERE: "已冲销",
    Resolution.MOVED_TO_CARD: "互助改打银行卡",
    Resolution.ACCEPTED: "认可差异",
    Resolution.CORRECTED_AT_BUREAU: "由医保更正",
    Resolution.CORRECTED_AT_HOSPITAL: "由医院更正",
}

ENTRIES: Final[Mapping[str, str]] = {"settlement": "结算", "cancellation": "撤销"}

COMPARED: Final[Mapping[str, str]] = {
    "state": "状态",
    "entry": "清单所列",
    "times": "所列次数",
    "business_date": "医保结算日",
    "reversed_on": "冲销日",
    "billed": "医疗费总额",
    "excluded": "全自费",
    "over_limit": "超限价自费",
    "upfront_share": "先行自付",
    "allowed": "符合政策范围",
    "insurer_paid": "医保基金支付",
    **FUNDS,
    "provider_absorbed": "医院负担",
    "patient_share": "个人负担",
    "account_paid": "个人账户支付",
    "family_account_paid": "家庭共济账户支付",
    "cash_before_aid": "医保现金支付",
    "aid_on_bill": "互助记入本单",
    "cash_due": "个人应付现金",
    "aid_given": "医院给付的互助",
    "cash_collected": "医院实收现金",
}
"""What the figures of a break are called, in the order in which they are shown."""

RECORDS: Final[Mapping[str, str]] = {"settlement": "结算", "reversal": "冲销"}

LAWS: Final[Mapping[str, str]] = {
    "aid_split": "互助先记入本单，只有超出应付现金的部分打入银行卡；没有方案版本的单据没有互助",
    "answers_name_their_bills": "存下的每个答复都对应本基金的一张单据或一份草案，只有一个答复新建了它",
    "balances": "各账户余额等于未冲销结算的合计",
    "chains_are_whole": "更正的单据与被更正的单据互相指明，占其原位；被更正的没有有效记录，留给它的额度由它取用",
    "consumption_is_the_aid": "每张单据占用的额度等于它的互助金额",
    "equation": "总额等于基金、医院、账户、互助、其他、个人现金之和，分文不差",
    "events_tell_every_record": "每笔结算和冲销恰有一条事件",
    "events_without_gap": "每张单据的事件从 1 起连续编号",
    "funds_do_not_see_each_other": "每张表都有行级隔离，基金之间互不可见",
    "guards_in_place": "数据库的各项约束都在，且对每一行成立",
    "head_matches_records": "单据状态与其下的记录一致",
    "limits": "每名职工每期所得加有效预留不超过方案限额",
    "pending_is_watched": "待查的每件事都有人问、有期限，到期转入待办",
    "promises_kept": "预留已兑现的，结算与预结算所示分文不差；一个批次至多一笔有效预留",
    "seals_form_a_chain": "每个已封账日恰有一枚封签，前后相连",
    "seals_are_signed": "每枚封签的签名有效",
    "sealed_days_unchanged": "已封账日的记录与封签时一致",
    "seals_as_witnessed": "封签与见证文件一致",
    "logins_are_plain": "三个数据库账号都没有特权",
    "member_was_covered": "每笔按方案的结算，费用发生日都在保障期内",
    "members_are_persons": "每名会员都有密封的身份，也有供加锁的一行",
    "messages_are_sealed": "原始报文都以密钥密封，且只属于该行",
    "not_negative": "应付现金、互助、其他支付都不为负",
    "nothing_hangs_loose": "每条记录都挂在其所指的单据、结算、会员或版本上",
    "numbers_are_sealed": "人员编号都以密钥密封，且与索引相符",
    "one_bill_per_insurer_settlement": "医保的一笔结算在本系统只有一张单据",
    "one_bill_per_number": "一个结算单号只对应一张单据",
    "one_open_books_day": "每个基金只有一个未关的账务日，日号连续",
    "one_reversal_per_revision": "一笔结算最多冲销一次",
    "one_version_is_in_force": "任何一天只有一个方案版本生效",
    "persons_are_sealed": "身份信息都以密钥密封，且与索引相符",
    "plan_versions_unchanged": "已公布的方案版本与其摘要一致，没有改动",
    "positions_without_gap": "事件流水号连续，没有遗漏",
    "postings_match_settlement": "分录与结算金额一致，借贷相等",
    "receipt_hash": "计算回执与其摘要一致",
    "receipt_says_what_is_recorded": "计算回执与所记金额、方案、日期一致",
    "records_cannot_be_changed": "服务账号不能修改或删除记录",
    "records_in_their_books_day": "每条记录及其分录在同一账务日，冲销不早于结算",
    "reversal_postings_swapped": "冲销分录是原分录的借贷对调",
    "room_taken_as_computed": "占用的额度等于按方案重算的结果",
    "settlement_replays": "按原方案和原数据重算，得同样的金额",
    "used_room_is_the_sum": "已用额度等于此前单据占用之和",
    "version_was_in_force": "每笔结算所用的方案版本当时确在生效",
    "versions_were_approved": "每个方案版本都经检查无误、由另一人批准后公布",
}
"""Each invariant's law in one sentence, by its name; `settlement doctor` has the exact words in English."""

WHY_NOT: Final[Mapping[str, str]] = {
    "no keys were given, so nothing sealed was opened": "检查时没有密钥，未打开密封的内容",
    "recorded by another version of the engine, whose own release computes it again": "由另一版本的引擎记录，由其重算",
}
"""Why something was not examined; what has no line here is shown as `settlement doctor` says it."""


def account_in_words(account: str) -> str:
    """Return what an account is called; a purse's own name follows `aid:`."""
    if account.startswith("aid:"):
        return f"{_ACCOUNTS['aid']}（{account.removeprefix('aid:')}）"
    return _ACCOUNTS.get(account, account)
