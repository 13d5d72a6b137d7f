"""A plan file as a workbook for clerks and back: a questionnaire in Chinese, with tables for bands and limits."""

from settlement.plans.sheets.read import PlanFromSheets, from_xlsx
from settlement.plans.sheets.write import price_in_words, to_xlsx, with_next_version

__all__ = ["PlanFromSheets", "from_xlsx", "price_in_words", "to_xlsx", "with_next_version"]
