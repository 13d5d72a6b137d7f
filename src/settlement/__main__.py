"""`python -m settlement`: the same as the command `settlement`."""

from settlement.cli import app

app()
