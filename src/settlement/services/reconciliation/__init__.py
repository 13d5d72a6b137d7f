"""Reconciliation: lists come in, a day is compared, breaks are worked off."""
