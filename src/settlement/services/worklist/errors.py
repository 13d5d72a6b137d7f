"""What is wrong with an action on a worklist item, or with a remark."""

from settlement.domain.errors import SettlementError


class WorklistItemUnknown(SettlementError):
    """There is no such item on the fund's worklist."""

    code = "worklist_item_not_found"


class WorklistActionRefused(SettlementError):
    """The item does not stand so that this person may do this: somebody else has it, or it is closed."""

    code = "worklist_action_refused"


class RemarkUnusable(SettlementError):
    """The remark is empty or too long, holds digits that name a person, or the reason for closing is missing."""

    code = "remark_unusable"
