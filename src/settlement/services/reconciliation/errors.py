"""What cannot be done about lists and breaks."""

from __future__ import annotations

from settlement.domain.errors import SettlementError


class ListRefused(SettlementError):
    """The list cannot be read as a whole; `why` says what to mend. Nothing of it counts."""

    code = "list_unreadable"


class BreakNotFound(SettlementError):
    """There is no such break."""

    code = "break_not_found"


class BreakStepRefused(SettlementError):
    """The action does not fit the break: it is resolved, or of another kind."""

    code = "break_step_refused"


class LineNotKept(SettlementError):
    """The bureau's line was not kept or was dropped after its time; import the list again."""

    code = "bureau_line_not_kept"


class BillStandsStill(SettlementError):
    """The listed cancellation was undone, or may be the one that was: the insurer is asked, and the bill stands."""

    code = "bill_stands_still"


class OwnerUnknown(SettlementError):
    """There is no staff account of this name that may sign in."""

    code = "owner_unknown"
