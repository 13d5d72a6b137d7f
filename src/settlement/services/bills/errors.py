"""Why a command about a bill cannot be done."""

from settlement.domain.errors import SettlementError


class BillNotFound(SettlementError):
    """There is no such bill for this caller."""

    code = "bill_not_found"


class HospitalNotYours(SettlementError):
    """The caller is not bound to the hospital it speaks for."""

    code = "hospital_not_yours"


class KeyReused(SettlementError):
    """Another command was given under this idempotency key."""

    code = "idempotency_key_reused"


class MessageUnreadable(SettlementError):
    """The insurer's answer, or a fact beside it, is not what the interface says; `field` names it."""

    code = "message_unreadable"


class PersonNotNamed(SettlementError):
    """The insurer's answer names neither a certificate nor an insured person number."""

    code = "person_not_named"


class OtherPayersExceedCash(SettlementError):
    """The other payers together pay more than the cash of the bill."""

    code = "other_payers_exceed_cash"


class NotSettledYet(SettlementError):
    """The bill has no insurer settlement id: it is a pre-settlement, which can be quoted but not settled."""

    code = "not_settled_by_insurer"


class NothingToReverse(SettlementError):
    """The bill has no live settlement."""

    code = "nothing_to_reverse"


class NothingToReinstate(SettlementError):
    """The bill was not reversed, or another one stands in its place."""

    code = "nothing_to_reinstate"


class CancellationStands(SettlementError):
    """It was neither brought nor seen that the insurer's cancellation of this bill was undone."""

    code = "insurer_cancellation_stands"


class CancellationNotSeen(SettlementError):
    """The insurer's cancellation was neither brought nor seen; nothing is released."""

    code = "insurer_cancellation_not_seen"


class CancellationOfAnother(SettlementError):
    """The cancellation that was brought does not take back this bill's figures."""

    code = "cancellation_of_another_bill"


class NothingAsked(SettlementError):
    """The bill is not held, so there is nothing to answer."""

    code = "nothing_asked"


class AnswerUnusable(SettlementError):
    """The answer does not answer the question of the held bill."""

    code = "answer_unusable"


class GatewayNotAsked(SettlementError):
    """The bureau issued no credentials to this service, so it cannot fetch a bill; bring it instead."""

    code = "fetching_not_possible"


class InsurerRefused(SettlementError):
    """The insurer refused our question; its text is among the figures."""

    code = "insurer_refused"


class MessageDropped(SettlementError):
    """The sealed message that the bill was brought with has been dropped after its time; bring the bill again."""

    code = "message_dropped"


class CancelledAtInsurer(SettlementError):
    """The insurer has cancelled this settlement, so there is nothing to settle."""

    code = "cancelled_at_insurer"
