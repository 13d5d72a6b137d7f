"""`settlement demo`: everything on one machine."""

from __future__ import annotations

import typer


def add_to(app: typer.Typer) -> None:
    """Add this command to the application."""
