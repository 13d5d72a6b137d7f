"""Why a command about a plan cannot be done."""

from settlement.domain.errors import SettlementError


class VersionChanged(SettlementError):
    """A version of this name says something else already; versions are immutable, make a new one."""

    code = "plan_version_changed"


class VersionKnown(SettlementError):
    """This very version is published already; nothing is left to do."""

    code = "plan_version_known"


class VersionNotNamed(SettlementError):
    """The file holds several versions that are not published, or not the one that was named."""

    code = "plan_version_not_named"


class PlanOfAnotherFund(SettlementError):
    """The fund pays by another plan."""

    code = "plan_of_another_fund"


class StayDateChanged(SettlementError):
    """A plan's versions must agree on the date of a stay that picks the version; another choice is another plan."""

    code = "plan_stay_date_changed"


class StartTaken(SettlementError):
    """Another version begins on this day; only one that says that it corrects that one may begin there, too."""

    code = "plan_start_taken"


class CorrectionUnusable(SettlementError):
    """A correction names a version that is not in force from the same first day."""

    code = "plan_correction_unusable"


class PlanNotFound(SettlementError):
    """The fund's plan has no such version or draft."""

    code = "plan_not_found"


class StepRefused(SettlementError):
    """The draft is in a state in which this cannot be done with it."""

    code = "plan_step_refused"


class SecondPersonNeeded(SettlementError):
    """Who wrote a draft cannot approve it."""

    code = "plan_needs_second_person"


class RoleMissing(SettlementError):
    """The account has none of the roles that may do this."""

    code = "staff_role_missing"
