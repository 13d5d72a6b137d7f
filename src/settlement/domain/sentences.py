"""The reviewed texts that cashiers, clerks and patients read, in Chinese and English: one file, so one review.

A sentence says first how the money stands, then what to do. Part of a text in square brackets is said only where its
values are known. No text names a person.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from settlement.domain.errors import ensure


class Language(StrEnum):
    """The languages that every sentence exists in."""

    CHINESE = "zh"
    ENGLISH = "en"


class _Text(NamedTuple):
    zh: str
    en: str


_OPTIONAL = re.compile(r"\[([^\[\]]*)\]")
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


def sentence(code: str, language: Language, /, **values: object) -> str:
    """Return the sentence of a stable code, with the values that its text has a place for; others are ignored.

    Raises `InvariantViolation` for a code without a sentence.
    """
    ensure(code in SENTENCES, f"no sentence for {code}")
    text = getattr(SENTENCES[code], language.value)

    def optional(part: re.Match[str]) -> str:
        known = all(values.get(name) not in (None, "") for name in _PLACEHOLDER.findall(part[1]))
        return part[1] if known else ""

    return _PLACEHOLDER.sub(lambda place: str(values.get(place[1], "")), _OPTIONAL.sub(optional, text))


def _not_ours(zh: str, en: str) -> _Text:
    return _Text(
        f"本单无互助款，请按医保现金数收费。{zh}", f"No mutual aid on this bill; charge the insurer's cash amount. {en}"
    )


def _refused(zh: str, en: str) -> _Text:
    """Return a refusal that begins with the state of the money, which depends on what was asked for."""
    return _Text(f"[{{state}}]{zh}", f"[{{state}} ]{en}")


def _held(zh: str, en: str) -> _Text:
    return _Text(
        f"互助款暂未算出，请按医保现金数收费，算出后打入职工银行卡。{zh}",
        f"The mutual aid is not computed yet; charge the insurer's cash amount, the aid goes to the card. {en}",
    )


_NOT_OURS: Final[Mapping[str, _Text]] = {
    "insured_elsewhere": _not_ours(
        "参保地不在本市，请向参保地工会咨询。",
        "The patient is insured in another city; ask the union there.",
    ),
    "work_injury": _not_ours(
        "本单属工伤，由工伤保险支付，请到工伤保险经办窗口办理。",
        "This is a work injury; claim it from work injury insurance.",
    ),
    "retired_cadre": _not_ours(
        "离休人员医疗费由专项资金保障，不在职工互助范围，无需申请。",
        "Retired cadres have a scheme of their own outside the plan; nothing needs to be done.",
    ),
    "newborn": _not_ours(
        "新生儿费用不在职工互助范围，请按居民医保办理。",
        "A newborn's costs are outside the plan; use resident insurance.",
    ),
    "companion_insurance": _not_ours(
        "该险种随基本医保一并支付，没有单独的账单，请核对险种后重新提交。",
        "This insurance pays within another one and has no bills of its own; check the insurance type and send again.",
    ),
    "disabled_soldier_insurance": _not_ours(
        "一至六级残疾军人医疗补助不在职工互助范围，请向退役军人事务部门咨询。",
        "Medical support of disabled soldiers is outside the plan; ask the office of veterans' affairs.",
    ),
    "red_army_veteran_insurance": _not_ours(
        "老红军医疗保障不在职工互助范围，无需申请。",
        "The red army veterans' scheme is outside the plan; nothing needs to be done.",
    ),
    "rural_insurance": _not_ours(
        "新农合参保费用不在职工互助范围，请按原渠道办理。",
        "Rural cooperative insurance is outside the plan; use its own channel.",
    ),
    "resident_insurance": _not_ours(
        "本单按居民医保结算，互助只随职工医保支付；如有职工医保，请改险种后重新结算。",
        "The bill was settled by resident insurance; the plan follows employee insurance. If the patient has that, "
        "settle again under it.",
    ),
    "special_group_insurance": _not_ours(
        "特殊人员医疗保障不在职工互助范围，请向医保经办窗口咨询。",
        "Insurance of special groups is outside the plan; ask the insurer's office.",
    ),
    "long_term_care": _not_ours(
        "长期照护费用不在职工互助范围，请向长护险经办窗口咨询。",
        "Long-term care is outside the plan; ask the office of long-term care insurance.",
    ),
    "maternity": _not_ours(
        "生育费用由生育保险支付，不在职工互助范围。",
        "Maternity costs are paid by maternity insurance and are outside the plan.",
    ),
    "employee_insurance": _not_ours(
        "本互助计划不含职工医保账单，请核对所参加的计划。",
        "This plan does not cover bills of employee insurance; check which plan the member is in.",
    ),
    "unknown_insurance_type": _not_ours(
        "险种代码未登记，如属互助范围，请工会登记后重新提交本单。",
        "The insurance code is not listed; once the fund has listed it, bring the bill again.",
    ),
    "active_person": _not_ours(
        "本互助计划不含在职人员，请核对所参加的计划。",
        "This plan does not cover people in work; check which plan the member is in.",
    ),
    "retired_person": _not_ours(
        "本互助计划只保障在职职工，退休人员不在范围内。",
        "This plan covers people in work; retired people are outside it.",
    ),
    "minor_resident": _not_ours(
        "未成年居民不在职工互助范围。",
        "Children and students are outside the plan.",
    ),
    "adult_resident": _not_ours(
        "人员类别为居民，不在职工互助范围；如为在职职工，请到医保窗口核对参保身份。",
        "The person is a resident and outside the plan; if in work, have the insurer's office check the category.",
    ),
    "elderly_resident": _not_ours(
        "老年居民不在职工互助范围。",
        "Elderly residents are outside the plan.",
    ),
    "unknown_person_type": _not_ours(
        "人员类别代码未登记，如属互助范围，请工会登记后重新提交本单。",
        "The person code is not listed; once the fund has listed it, bring the bill again.",
    ),
    "registration_fee": _not_ours("挂号费不在互助范围。", "Registration fees are outside the plan."),
    "pharmacy": _not_ours("药店购药不在互助范围。", "Purchases at pharmacies are outside the plan."),
    "home_bed": _not_ours("家庭病床费用不在互助范围。", "Home beds are outside the plan."),
    "other_care": _not_ours(
        "本地医疗类别未列入互助范围，如属互助范围，请工会登记后重新提交本单。",
        "This local kind of care is not listed; once the fund has listed it, bring the bill again.",
    ),
    "unknown_care_type": _not_ours(
        "医疗类别代码未登记，如属互助范围，请工会登记后重新提交本单。",
        "The care code is not listed; once the fund has listed it, bring the bill again.",
    ),
    "unknown_place_of_payment": _not_ours(
        "支付地点代码未登记，如属互助范围，请工会登记后重新提交本单。",
        "The place of payment is not listed; once the fund has listed it, bring the bill again.",
    ),
    "liability_excluded": _not_ours(
        "外伤费用按互助计划不予支付，应由责任方承担的请向责任方主张。",
        "The plan does not pay for injuries; claim from whoever is liable.",
    ),
    "not_a_member": _not_ours(
        "就诊人未参加本期职工互助，如有疑问请联系单位工会。",
        "The patient is not a member in this term; with questions, ask the union of the employer.",
    ),
}

_MISSING: Final[Mapping[str, _Text]] = {
    f"{fact}_missing": _held(f"缺少{zh}，请补报。", f"The {en} is missing; please send it.")
    for fact, zh, en in (
        ("insured_area", "参保地区划（insuplc_admdvs）", "insured area (insuplc_admdvs)"),
        ("system_code", "接收方系统代码（recer_sys_code）", "receiver system code (recer_sys_code)"),
        ("insurance_type", "险种类型（insutype）", "insurance type (insutype)"),
        ("person_type", "人员类别（psn_type）", "person type (psn_type)"),
        ("care_type", "医疗类别（med_type）", "care type (med_type)"),
        ("admitted_on", "入院日期", "date of admission"),
        ("discharged_on", "出院日期", "date of discharge"),
        ("hospital_level", "医院等级", "level of the hospital"),
        ("hospital_category", "医院类别（hospital_category）", "category of the hospital (hospital_category)"),
        ("diagnosis", "疾病诊断代码（dise_codg）", "diagnosis code (dise_codg)"),
        ("event", "互助事件", "event that the claim is for"),
        ("severity", "病情程度", "severity of the event"),
        ("age", "年龄（证件号码中没有出生日期）", "age (the certificate's number holds no birthday)"),
        ("sex", "性别（证件号码中没有性别）", "sex (the certificate's number does not tell it)"),
        ("region", "单位所在地区", "region of the unit"),
        ("unit_class", "单位类别", "class of the unit"),
        ("union_member", "是否工会会员", "whether a member of the union"),
        ("place", "就医地", "place of care"),
    )
}

_QUESTIONS: Final[Mapping[str, _Text]] = {
    "stated_amount_missing": _held(
        "缺少方案要求填报的金额[：{name}（{code}）]，请补报。",
        "An amount that the plan asks for is missing[: {name} ({code})]; please send it.",
    ),
    "aid_already_inside": _held(
        "医保结算明细中已有工会互助支付[（{difference} 元）]，请核实是否为同一互助，以免重复支付。",
        "The insurer's answer already holds aid of the union[ ({difference} yuan)]; say whether it is the same aid.",
    ),
    "figure_missing": _held(
        "医保返回缺少金额[（{fields}）]，请补报或由工会向医保查询。",
        "The insurer's answer lacks amounts[ ({fields})]; send them, or have the union ask the insurer.",
    ),
    "identity_a_open": _held(
        "医疗费总额与自费、超限价、先行自付、政策范围内四项之和不符[，相差 {difference} 元]，请核对医保返回。",
        "The total differs from its four parts[ by {difference} yuan]; check the insurer's answer.",
    ),
    "identity_b_open": _held(
        "医疗费总额与基金、医院、个人负担之和不符[，相差 {difference} 元]，请核对医保返回。",
        "The total differs from what funds, hospital and patient pay[ by {difference} yuan]; check the answer.",
    ),
    "identity_c_open": _held(
        "个人负担与个人账户、现金之和不符[，相差 {difference} 元]，请核对医保返回。",
        "The patient's part differs from account and cash[ by {difference} yuan]; check the insurer's answer.",
    ),
    "account_money_other_way": _held(
        "基金支付总额是否含个人账户[（{difference} 元）]与本市配置不符，请工会核对配置。",
        "Whether the fund total contains account money[ ({difference} yuan)] contradicts the profile; check it.",
    ),
    "family_account_other_way": _held(
        "账户共济支付[（{difference} 元）]的归类与本市配置不符，请工会核对配置。",
        "Where a relative's account money[ ({difference} yuan)] stands contradicts the profile; check it.",
    ),
    "family_account_exceeds_account": _held(
        "账户共济支付大于个人账户支付[ {difference} 元]，请核对医保返回。",
        "A relative's account pays more than all account money[ by {difference} yuan]; check the insurer's answer.",
    ),
    "sign_not_allowed": _held(
        "出现不应有的负数[（{fields} {difference} 元）]，请核对医保返回。",
        "An amount is negative that cannot be[ ({fields} {difference} yuan)]; check the insurer's answer.",
    ),
    "liability_declaration": _held(
        "外伤费用须先确认无第三方责任、非工伤，请职工提交声明。",
        "An injury: the member declares that nobody else is liable and that it was not at work.",
    ),
    "certificate_masked": _held(
        "证件号码被遮盖，请补报完整号码。",
        "The certificate number is masked; send the whole number.",
    ),
    "name_disagrees": _held(
        "证件号码与姓名不一致，请核对就诊人身份。",
        "Name and certificate number disagree; check who the patient is.",
    ),
}

_OUTCOMES: Final[Mapping[str, _Text]] = {
    "aid_on_bill": _Text(
        "互助已记入本单，请按扣除互助后的现金数收费。",
        "The mutual aid is on this bill; charge the cash that is left after it.",
    ),
    "aid_to_card": _Text(
        "互助款将打入职工银行卡，请按医保现金数收费。",
        "The mutual aid goes to the member's card; charge the insurer's cash amount.",
    ),
    "aid_split": _Text(
        "互助一部分已记入本单，其余打入职工银行卡，请按扣除互助后的现金数收费。",
        "Part of the mutual aid is on this bill, the rest goes to the card; charge the cash that is left.",
    ),
    "plan_pays_nothing": _Text(
        "本单互助款为 0.00 元，请按医保现金数收费，原因见计算说明。",
        "The mutual aid on this bill is 0.00; charge the insurer's cash amount. The explanation says why.",
    ),
    "held_at_counter": _Text(
        "互助款暂未算出，请按医保现金数收费，算出后打入职工银行卡。",
        "The mutual aid is not computed yet; charge the insurer's cash amount, the aid goes to the card.",
    ),
    "not_recorded": _Text(
        "互助是否记账尚未确认，请用同一幂等键重试；如患者不能等待，请按医保现金数收费。",
        "Whether mutual aid was recorded is not known yet: repeat under the same key. If the patient cannot wait, "
        "charge the insurer's cash amount.",
    ),
    "reversed": _Text(
        "本单互助已冲销，请按医保退费结果退款。",
        "The mutual aid of this bill is reversed; refund as the insurer's cancellation says.",
    ),
    "replaced": _Text(
        "本单互助已由更正后的账单代替，请查看新账单。",
        "The mutual aid of this bill is replaced by a corrected bill; see that one.",
    ),
    "pending": _Text(
        "互助未记账，医保结果正在查询，请勿重复结算，查清后见时间线。",
        "No mutual aid was recorded; the insurer is being asked what became of it. Do not settle it twice; the "
        "timeline says what is found.",
    ),
    "resolved": _Text(
        "互助未以此报文记账，医保结果已查清，请见时间线所列单据。",
        "No mutual aid stands under this message: what became of it is known. See the bill that the timeline names.",
    ),
    "cancelled_unseen": _Text(
        "本单无互助款，医保撤销先于账单到达，无需处理。",
        "No mutual aid: the cancellation arrived before its bill. Nothing needs to be done.",
    ),
    "insurer_cancellation_stands": _Text(
        "互助未恢复，未见医保撤销已被冲正，请先核实医保结算状态再提交。",
        "The mutual aid is not reinstated: it was not seen that the insurer's cancellation was undone. Check the bill "
        "with the insurer first.",
    ),
    "insurer_cancellation_not_seen": _Text(
        "互助未冲销，尚未看到医保撤销，请先在医保撤销结算再提交。",
        "The mutual aid is not reversed: the insurer's cancellation was not seen. Cancel with the insurer first.",
    ),
    "gateway_unavailable": _refused(
        "医保未答复查询，请直接提交医保返回的结果，或稍后用同一请求重试。",
        "The insurer did not answer our question. Bring its answer itself, or repeat the same request later.",
    ),
}

_NOT_COVERED: Final[Mapping[str, _Text]] = {
    "not_covered_on_date": _not_ours(
        "就诊人在费用发生日不在保障期内，如有疑问请联系单位工会。",
        "The patient was not covered on the service date; with questions, ask the union of the employer.",
    ),
    "no_plan_on_date": _not_ours(
        "费用发生日没有生效的互助方案。", "No version of the plan was in force on the service date."
    ),
    "third_party_liable": _not_ours(
        "费用应由第三方承担，不在互助范围。", "Somebody else is liable for this cost; the plan does not pay for it."
    ),
}

_OWN_QUESTIONS: Final[Mapping[str, _Text]] = {
    "stated_amount_missing": _held(
        "缺少方案要求填报的金额[：{name}（{code}）]，请补报。",
        "An amount that the plan asks for is missing[: {name} ({code})]; please send it.",
    ),
    "number_of_two_members": _held(
        "人员编号已属于另一名会员，请工会核对。",
        "The insured person number belongs to another member; the fund checks it.",
    ),
    "certificate_disagrees": _held(
        "证件号码与人员编号对应的会员不一致，请核对就诊人身份。",
        "Certificate and insured person number name two people; check who the patient is.",
    ),
    "cancellation_undone": _held(
        "医保撤销已被冲正，本单有效；请重新提交本单的医保结算结果。",
        "The insurer's cancellation was undone and the bill lives; bring the insurer's answer to it again.",
    ),
    "our_fault": _held("互助系统内部错误，已通知运维。", "An internal fault of ours; operations have been told."),
}

_STATES: Final[Mapping[str, _Text]] = {
    "state_not_recorded": _Text(
        "互助未记账，医保结算不受影响，请按医保现金数收费。",
        "No mutual aid was recorded, the insurer's settlement stands; charge the insurer's cash amount.",
    ),
    "state_unchanged": _Text(
        "未作任何改动，互助以原记录为准。", "Nothing was changed; the mutual aid stands as it is recorded."
    ),
}


_BREAKS: Final[Mapping[str, _Text]] = {
    "break_missing_here": _Text(
        "医保有此结算，本系统没有。可按医保数据补记，互助款打入职工银行卡。",
        "The bureau has this settlement and we do not: settle it from the bureau's figures, the aid goes to the card.",
    ),
    "break_missing_there": _Text(
        "本系统有此结算，医保清单及前后一日均没有。请向医院核实后由医保更正或冲销。",
        "We have this settlement; the bureau has it neither on this day nor beside it. Ask the hospital.",
    ),
    "break_hospital_missing": _Text(
        "本系统有此结算，医院清单没有。请向医院核实互助款是否已抵扣。",
        "We have this settlement and the hospital's list does not: ask whether the aid was deducted.",
    ),
    "break_amount": _Text(
        "双方金额不一致。请核对明细，由有误一方更正。", "The amounts differ; whoever is wrong corrects them."
    ),
    "break_payer": _Text(
        "总额一致，各基金支付不一致。请核对基金明细。", "The totals agree and the single funds differ; check the funds."
    ),
    "break_cancelled_on_one_side": _Text(
        "一方已撤销，另一方仍有效。医保已撤销的，请复核后冲销互助款。",
        "One side has cancelled it and the other has not: where the bureau has, check it and reverse the aid.",
    ),
    "break_wrong_day": _Text(
        "双方业务日期不一致。请按医保结算时间归日。",
        "The business dates differ; the insurer's settlement time decides.",
    ),
    "break_duplicated": _Text(
        "同一结算在清单中出现多次。请对方删除重复行。", "A settlement is listed more than once; have it listed once."
    ),
    "break_aid_not_passed_on": _Text(
        "医院收取的现金或给付的互助款与记账不符。查清前不与医院清算，应退职工的打入银行卡。",
        "The hospital took more cash or gave other aid than recorded: it is not cleared until that is found out.",
    ),
    "break_aid_to_unknown": _Text(
        "医院给付了互助款，本系统没有此结算。请医院补报结算结果或向患者追回。",
        "The hospital gave aid on a bill that we do not have: it brings the bill, or takes the aid back.",
    ),
}


_REFUSALS: Final[Mapping[str, _Text]] = {
    "bill_not_found": _Text("没有这张单据，请核对编号。", "There is no such bill; check its id."),
    "request_not_found": _Text(
        "没有以此幂等键完成的请求，可用同一键重新提交。",
        "No request was completed under this key; it may be sent again under the same key.",
    ),
    "fund_unknown": _Text("没有此互助基金。", "There is no such fund."),
    "hospital_not_yours": _refused(
        "此客户端未获授权代表该医院，请核对 fixmedins_code。",
        "This client is not bound to that hospital; check fixmedins_code.",
    ),
    "idempotency_key_reused": _Text(
        "此幂等键已用于另一请求，未作任何改动，请换新键提交。",
        "This idempotency key was used for another command; nothing was changed. Send it under a new key.",
    ),
    "message_unreadable": _refused(
        "报文字段 {field} 无法读取（{problem}），请按医保返回原样提交。",
        "The field {field} cannot be read ({problem}); send the insurer's answer as you received it.",
    ),
    "person_not_named": _refused(
        "报文中既无证件号码也无人员编号，请补全。",
        "The message names neither a certificate nor an insured person number; add one.",
    ),
    "other_payers_exceed_cash": _refused(
        "其他支付合计 {others} 元超过现金 {cash} 元，请核对。",
        "The other payers' {others} yuan exceed the cash of {cash} yuan; check them.",
    ),
    "not_settled_by_insurer": _refused(
        "这是预结算结果，没有结算编号和时间；试算请用 /v1/quotes。",
        "This is a pre-settlement without settlement id and time; quote it at /v1/quotes.",
    ),
    "guarantee_not_allowed": _Text(
        "未预留任何金额：本互助基金不为住院提供担保。出院预结算时请用 hold_for: counter。",
        "Nothing is held: this fund gives no guarantee for a stay. At the discharge use hold_for: counter.",
    ),
    "hold_not_found": _Text(
        "未作任何改动：没有这笔预留，或不属于本院。请核对编号。",
        "Nothing was changed: there is no such hold, or it is another hospital's. Check its id.",
    ),
    "estimate_not_held": _Text(
        "这是出院前的估算，未预留、不保证。出院后请按出院日期重新预结算。",
        "This is an estimate before the discharge: nothing is held or promised. Quote again with the discharge date.",
    ),
    "nothing_to_hold": _Text(
        "未预留任何金额：本单没有可预留的互助款。请按医保现金数收费。",
        "Nothing is held: there is no aid to hold on this bill. Charge the insurer's cash amount.",
    ),
    "promise_kept": _Text(
        "互助与预结算显示的一致，请按预结算现金数收费。",
        "The aid is what the pre-settlement showed; charge the cash that it showed.",
    ),
    "promise_kept_and_changed_since": _Text(
        "预结算显示的互助已兑现；此后互助有变动，见账单经过。",
        "The pre-settlement was kept as it was shown; the aid has changed since, as the bill's timeline tells.",
    ),
    "promise_of_other_figures": _Text(
        "本单与预结算不同（医保数额、其他付款或待补资料），互助已重新计算，请按本次现金数收费或退补差额。",
        "The bill is not the one that was quoted (figures, other payers, or a fact that came later); charge this cash.",
    ),
    "nothing_to_reverse": _Text(
        "本单没有可冲销的互助结算（状态 {state}），未作任何改动。",
        "The bill has no live settlement to reverse (state {state}); nothing was changed.",
    ),
    "nothing_to_rerate": _Text(
        "没有需要重新核算的差额，未作任何改动。", "No bill would get another amount; nothing was changed."
    ),
    "rerating_not_found": _Text(
        "没有这份重新核算单，未作任何改动。", "There is no such re-rating; nothing was changed."
    ),
    "nothing_to_reinstate": _Text(
        "本单不能恢复（状态 {state}），未作任何改动；医保撤销先到的，请先提交本单的医保结算结果。",
        "The bill cannot be reinstated (state {state}); nothing was changed. Where only its cancellation came, bring "
        "the insurer's answer to the bill first.",
    ),
    "cancellation_of_another_bill": _Text(
        "互助未冲销：所附医保撤销与本单金额或就诊不符，请核对。",
        "The mutual aid is not reversed: the cancellation takes back other figures or another visit; check it.",
    ),
    "nothing_asked": _Text(
        "本单没有待回答的问题（状态 {state}），未作任何改动。",
        "The bill asks nothing (state {state}); nothing was changed.",
    ),
    "answer_unusable": _Text(
        "未作任何改动：请在 facts、answers 或 output 中给出所问内容。",
        "Nothing was changed: give what was asked in `facts`, `answers` or `output`.",
    ),
    "fetching_not_possible": _refused(
        "医保局未向本服务发放查询凭证，请直接提交医保返回的结算结果。",
        "The bureau issued this service no credentials to ask with; bring the insurer's answer itself.",
    ),
    "insurer_refused": _refused("医保答复：{insurer_text}", "The insurer refused the question: {insurer_text}"),
    "message_dropped": _refused(
        "原报文已过保存期，请重新提交医保结算结果。",
        "The original message was dropped after its time; bring the insurer's answer again.",
    ),
    "cancelled_at_insurer": _Text(
        "互助未记账：医保已撤销此结算，请按医保退费结果办理。",
        "No mutual aid was recorded: the insurer has cancelled this settlement; refund as it says.",
    ),
    "busy": _refused(
        "该职工的其他单据正在处理，请稍后用同一键重试。", "Other bills of this member are under way; repeat it."
    ),
    "overloaded": _refused(
        "系统繁忙，本次请求未受理，请稍后用同一请求重试。",
        "Too much at once; this was not taken on. Repeat it shortly.",
    ),
    "in_progress": _Text(
        "同一请求正在处理，结果尚未确认，请稍后用同一键重试。",
        "The same command is under way and its outcome is not known yet; repeat it under the same key.",
    ),
    "list_unreadable": _Text(
        "未作任何改动：清单无法读取（{why}），请按说明整理后重新提交。",
        "Nothing was changed: the list cannot be read ({why}); mend it and bring it again.",
    ),
    "break_not_found": _Text("没有这条差异，请核对编号。", "There is no such break; check its id."),
    "break_step_refused": _Text(
        "未作任何改动：差异状态为 {break_status}，类型为 {kind}，不能这样处理。",
        "Nothing was changed: the break is {break_status} and of kind {kind}, which does not allow this.",
    ),
    "bureau_line_not_kept": _Text(
        "未作任何改动：医保清单的原始行未保存或已过保存期，请重新导入该日清单。",
        "Nothing was changed: the bureau's line was not kept or was dropped; import the day's list again.",
    ),
    "later_payment_differs": _Text(
        "未作任何改动：该付款方此凭证号已记 {recorded} 元，本次为 {brought} 元；另一笔付款请用其自身凭证号提交。",
        "Nothing was changed: this payer's payment of this reference is recorded with {recorded}, not {brought}; bring "
        "another payment under a reference of its own.",
    ),
    "bill_stands_still": _Text(
        "差异仍未了结：清单所列撤销可能已被冲正，单据 {id} 仍有效，已向医保查询，请稍后再看。",
        "The break is open still: the listed cancellation may have been undone. Bill {id} stands, and the insurer is "
        "asked; look again later.",
    ),
    "owner_unknown": _Text(
        "未作任何改动：没有名为 {owner} 的有效员工账号。", "Nothing was changed: no staff account {owner} may sign in."
    ),
    "already_registered": _Text(
        "{registered} 已登记，未作任何改动。", "{registered} is registered already; nothing was changed."
    ),
    "request_invalid": _Text(
        "未作任何改动：请求不符合接口约定，见 errors。",
        "Nothing was changed: the request is not as described; see `errors`.",
    ),
    "too_large": _Text(
        "未作任何改动：请求过大，请分批提交。", "Nothing was changed: the request is too large; send less."
    ),
    "token_missing": _Text(
        "请先在 /oauth/token 取得访问令牌，放入 Authorization: Bearer。",
        "Get an access token at /oauth/token and send it as Authorization: Bearer.",
    ),
    "token_invalid": _Text(
        "访问令牌无效或已过期，请重新获取。", "The access token is invalid or expired; get a new one."
    ),
    "client_refused": _Text(
        "客户端标识或密钥不正确，或已停用。", "Client id or secret is wrong, or the client was revoked."
    ),
    "scope_missing": _Text("此客户端无权执行该操作（{scope}）。", "This client lacks the scope {scope}."),
    "not_found": _Text("没有此资源。", "There is no such resource."),
    "method_not_allowed": _Text("此资源不支持该方法。", "This resource does not know that method."),
    "sign_in_refused": _Text(
        "用户名或密码不正确，或账号已停用。", "User name or password is wrong, or the account was disabled."
    ),
    "sign_in_blocked": _Text(
        "登录失败次数过多，请在[ {retry_after_seconds} 秒]后重试；忘记密码请由管理员重设。",
        "Too many sign-ins failed; try again[ in {retry_after_seconds} seconds], or have the password set anew.",
    ),
    "sign_in_busy": _Text(
        "同时登录的人过多，本次未处理，请稍后重试。",
        "Too many people are signing in at once and this was not looked at; try again shortly.",
    ),
    "staff_role_missing": _Text(
        "未作任何改动：该账号没有所需角色[（{roles}）]。",
        "Nothing was changed: the account lacks the role for this[ ({roles})].",
    ),
    "plan_not_found": _Text(
        "没有这个方案版本或草案，请核对名称。", "The plan has no such version or draft; check its name."
    ),
    "plan_refused": _Text(
        "未作任何改动：方案有错误，见 findings，请修改后重新提交。",
        "Nothing was changed: the plan has errors, see `findings`; mend them and submit it again.",
    ),
    "plan_of_another_fund": _Text(
        "未作任何改动：本基金按方案 {expected} 支付，文件是 {plan_code}。",
        "Nothing was changed: the fund pays by the plan {expected}, the file is {plan_code}.",
    ),
    "plan_stay_date_changed": _Text(
        "未作任何改动：各版本须以住院的同一日期确定版本（本文件为 {stay_date}），改用另一日期请另立方案。",
        "Nothing was changed: all versions go by the same date of a stay (this file: {stay_date}); "
        "another choice is another plan.",
    ),
    "plan_version_changed": _Text(
        "未作任何改动：版本 {version} 已公布且内容不同；已公布的版本不可更改，请另起版本名。",
        "Nothing was changed: version {version} is published and says something else; it never changes, "
        "give the new one another name.",
    ),
    "plan_version_known": _Text(
        "未作任何改动：版本 {version} 已公布，内容相同。",
        "Nothing was changed: version {version} is published already and says the same.",
    ),
    "plan_version_not_named": _Text(
        "未作任何改动：请指明要提交的版本[（{versions}）]。",
        "Nothing was changed: say which version is to be submitted[ ({versions})].",
    ),
    "plan_start_taken": _Text(
        "未作任何改动：版本 {version} 已自 {effective_from} 起生效；如为更正，请以 corrects 指明该版本。",
        "Nothing was changed: version {version} begins on {effective_from}; name it in `corrects` if this corrects it.",
    ),
    "plan_correction_unusable": _Text(
        "未作任何改动：{corrects} 不是自 {effective_from} 起生效的现行版本，请核对所更正的版本和生效日。",
        "Nothing was changed: {corrects} is not the version in force from {effective_from}; "
        "check which version is corrected, and its first day.",
    ),
    "plan_step_refused": _Text(
        "未作任何改动：草案现为 {draft_state}，不能进行此操作（{step}）。",
        "Nothing was changed: the draft is {draft_state}, which does not allow this ({step}).",
    ),
    "plan_needs_second_person": _Text(
        "未作任何改动：起草人不能批准自己的草案，请由另一位批准人批准。",
        "Nothing was changed: who wrote a draft cannot approve it; another approver does.",
    ),
    "worklist_item_not_found": _Text("没有这项待办，请核对。", "There is no such item on the worklist; check its id."),
    "worklist_action_refused": _Text(
        "未作任何改动：此项[现由 {owner} 办理，或]已有变化，请刷新后再看。",
        "Nothing was changed: the item [is with {owner} or ]stands otherwise by now; look at it again.",
    ),
    "remark_unusable": _Text(
        "未作任何改动：备注须为 1 至 500 字，不得写证件号、卡号、电话；关闭须选原因。",
        "Nothing was changed: a remark has 1 to 500 characters and names nobody by number; closing needs a reason.",
    ),
    "form_stale": _Text(
        "未作任何改动：页面已过期，请返回重新打开后再提交。",
        "Nothing was changed: the page has grown old; open it again and send the form once more.",
    ),
    "our_bug": _Text(
        "互助系统内部错误，未作任何改动，请按医保现金数收费，可用同一键重试。",
        "An internal fault of ours; nothing was changed. Charge the insurer's cash amount; it may be repeated.",
    ),
}

_STANDING: Final[Mapping[str, _Text]] = {
    "known_live": _Text("互助已结算，金额已由医保确认。", "Settled; the insurer has confirmed the figures."),
    "known_unconfirmed": _Text(
        "互助已按医院提交的金额结算，尚待医保确认。",
        "Settled on the figures that the hospital brought; the insurer has not confirmed them yet.",
    ),
    "known_held": _Text("互助款暂未算出，单据待补。", "The aid is not computed yet; the bill waits for a fact."),
    "known_undone": _Text("医保已撤销，本单互助已不再有效。", "The insurer cancelled; the aid is no longer in force."),
    "known_asked": _Text(
        "医保是否已结算尚不清楚[，已查询 {tries} 次]。",
        "Whether the insurer has settled is not known yet[; asked {tries} times].",
    ),
    "known_unresolved": _Text(
        "多次查询仍不清楚医保是否已结算，已转工会人工核实。",
        "Whether the insurer has settled could not be found out; a person of the fund looks into it.",
    ),
    "known_settled": _Text(
        "医保已结算，互助已按医保结果处理。", "The insurer has settled; the aid follows its result."
    ),
    "known_cancelled": _Text("医保曾结算，现已撤销。", "The insurer had settled and has cancelled it."),
    "known_never_happened": _Text("医保没有收到这笔结算。", "The insurer never made this settlement."),
    "known_cancelling": _Text(
        "互助仍有效，医保是否已撤销尚不清楚[，已查询 {tries} 次]。",
        "The aid still stands; whether the insurer has cancelled is not known yet[; asked {tries} times].",
    ),
    "tell_live": _Text("请按本单应付现金收费。", "The patient pays the cash due of this bill."),
    "tell_held": _Text(
        "请按医保现金数收费，互助款算出后打入职工银行卡。",
        "The patient pays the insurer's cash amount; the aid goes to the card once it is computed.",
    ),
    "tell_undone": _Text("请按医保退费结果退款。", "The patient is refunded as the insurer's cancellation says."),
    "tell_asked": _Text(
        "请勿重复结算或重复收费，请患者保留票据；查清后，已承诺的互助款记在单据上，其余打入职工银行卡，无需申请。",
        "Do not settle or charge twice. The patient keeps the receipt; once it is known, promised aid is on the "
        "bill and other aid goes to the card, without an application.",
    ),
    "tell_unresolved": _Text(
        "请患者保留票据，工会核实后联系；如已付现金，互助款不会丢失。",
        "The patient keeps the receipt and hears from the fund; aid that is due is not lost.",
    ),
    "tell_settled": _Text(
        "请按所指单据的应付现金收费，未在单据上扣减的互助款打入职工银行卡。",
        "The patient pays the cash due of the bill that is named; aid that is not on it goes to the card.",
    ),
    "tell_cancelled": _Text("本次无需付费，如已收费请退还。", "Nothing is due; what was charged is paid back."),
    "tell_never_happened": _Text(
        "可以重新结算；如已收费请先退还。", "It may be settled anew; what was charged already is paid back first."
    ),
    "tell_cancelling": _Text(
        "请先不要退互助款，等医保撤销结果查清。",
        "Do not pay back or collect the aid yet; wait until the insurer's cancellation is known.",
    ),
}

_REVERSAL_REASONS: Final[Mapping[str, _Text]] = {
    "reversal_refund": _Text("退费", "refund"),
    "reversal_correction": _Text("更正后重新结算", "corrected and settled again"),
    "reversal_identity_changed": _Text("变更参保身份重新结算", "settled again under another insurance"),
    "reversal_insurer_cancelled": _Text("医保撤销", "cancelled by the insurer"),
    "reversal_other": _Text("其他", "another reason"),
}

_REVISION_REASONS: Final[Mapping[str, _Text]] = {
    "revision_not_shown": _Text("收费处未显示互助", "the counter did not show the aid"),
    "revision_answer_lost": _Text("互助结果未送达收费处", "the answer did not reach the counter"),
    "revision_reinstated": _Text("医保撤销已被冲正，账单恢复", "the insurer's cancellation was undone"),
    "revision_corrected": _Text("承接被更正账单的位置", "it stands in the place of the bill that it corrects"),
    "revision_rerated": _Text("前面的账单有变动，重新核算", "computed anew because earlier bills changed"),
    "revision_covered": _Text("名册补录后在保", "covered by a roster that came late"),
    "revision_clearing_disputed": _Text("清算有争议", "its clearing is disputed"),
}

_SOURCES: Final[Mapping[str, _Text]] = {
    "source_brought": _Text("医院提交", "the hospital brought it"),
    "source_5203": _Text("向医保查询", "we asked the insurer"),
    "source_exchange": _Text("医保推送", "the insurer's platform"),
    "source_bureau_file": _Text("医保每日清单", "the bureau's daily list"),
}

_TIMELINE: Final[Mapping[str, _Text]] = {
    "settlement.settled.v1": _Text(
        "互助已结算：记入本单 {aid_on_bill} 元，打入银行卡 {aid_to_card} 元，应付现金 {cash_due} 元。",
        "Settled: {aid_on_bill} on the bill, {aid_to_card} to the card, cash due {cash_due}.",
    ),
    "settlement.held.v1": _Text("单据待补：{question}", "Held for a question: {question}"),
    "settlement.confirmed.v1": _Text(
        "金额已由医保确认（{source}）。", "The figures were confirmed by the insurer ({source})."
    ),
    "settlement.reversed.v1": _Text(
        "医保已撤销（{source}），互助已冲销：{reason}。",
        "The insurer cancelled ({source}); the aid was reversed: {reason}.",
    ),
    "settlement.revised.v1": _Text(
        "互助已重记为第 {revision} 版（{reason}）：记入本单 {aid_on_bill} 元，"
        "打入银行卡 {aid_to_card} 元，应付现金 {cash_due} 元。",
        "Recorded anew as revision {revision} ({reason}): {aid_on_bill} on the bill, {aid_to_card} to the card, "
        "cash due {cash_due}.",
    ),
    "settlement.said_to_resettle.v1": _Text(
        "医院补充说明：本单更正医保结算 {resettles}。",
        "The hospital said later that it corrects the insurer's settlement {resettles}.",
    ),
    "settlement.took_place.v1": _Text(
        "承接被更正账单的位置，互助金额待人工核定。",
        "It stands in the place of the bill that it corrects; the amount is to be looked at by a person.",
    ),
    "settlement.replaced.v1": _Text(
        "已由更正后的账单 {settlement_no} 代替。", "Replaced by the corrected bill {settlement_no}."
    ),
    "settlement.cancelled_unseen.v1": _Text("医保撤销先于账单到达。", "The cancellation arrived before the bill."),
    "settlement.came_after_cancellation.v1": _Text(
        "账单在其撤销之后到达，不予支付。", "The bill arrived after its cancellation; nothing is paid."
    ),
    "settlement.pending.v1": _Text(
        "医院报告结算报文 {message_id} 未得到医保答复，开始查询。",
        "The hospital reported that its message {message_id} was not answered; the insurer is asked.",
    ),
    "settlement.cancellation_asked.v1": _Text(
        "医院报告撤销报文 {message_id} 未得到医保答复，开始查询。",
        "The hospital reported that its cancellation {message_id} was not answered; the insurer is asked.",
    ),
    "settlement.cancellation_unclear.v1": _Text(
        "收到的医保撤销可能是已被冲正的那一次，开始查询；互助暂不变。",
        "A cancellation came that may be the one that was undone; the insurer is asked, and the aid stands meanwhile.",
    ),
    "settlement.resolved.v1": _Text(
        "[单据 {bill_id}。]查询结果：{outcome}", "[The bill is {bill_id}. ]Found out: {outcome}"
    ),
    "settlement.unresolved.v1": _Text(
        "多次查询未有定论，已转工会人工核实。", "Asking decided nothing; it is on the fund's worklist now."
    ),
    "settlement.not_cancelled.v1": _Text(
        "医保没有撤销这笔结算，互助仍有效。", "The insurer did not cancel this settlement; the aid stands."
    ),
    "settlement.cancellation_undone.v1": _Text(
        "医保撤销已被冲正，本单重新办理。", "The insurer's cancellation was undone; the bill is settled again."
    ),
    "settlement.cancelled_while_held.v1": _Text(
        "待补期间医保已撤销：{reason}。", "The insurer cancelled while the bill was held: {reason}."
    ),
}

SENTENCES: Final[Mapping[str, _Text]] = {
    **_NOT_OURS,
    **_NOT_COVERED,
    **_MISSING,
    **_QUESTIONS,
    **_OWN_QUESTIONS,
    **_OUTCOMES,
    **_STATES,
    **_BREAKS,
    **_REFUSALS,
    **_STANDING,
    **_REVERSAL_REASONS,
    **_REVISION_REASONS,
    **_SOURCES,
    **_TIMELINE,
}
"""All texts by their stable code."""
