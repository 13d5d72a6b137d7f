"""The checks of a plan's sense, one function each, by subject; `run.py` runs them. Form is checked on loading."""
