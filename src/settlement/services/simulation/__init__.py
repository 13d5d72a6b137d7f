"""Simulating a draft on a file of bills or on the fund's own settlements, over all cores."""
