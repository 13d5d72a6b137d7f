"""The commands, one file each or per group. Each has `--json` for machines and exit codes that mean something.

A command's module is imported when it is called, so that checking a plan does not wait for a web server's imports.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

COMMANDS = {
    "demo": "demo",
    "serve": "serve",
    "worker": "worker",
    "simulator": "simulator",
    "doctor": "doctor",
    "books": "books",
    "seal": "seals",
    "bench": "bench",
    "chaos": "chaos",
    "db": "database",
    "fund": "funds",
    "unit": "units",
    "hospital": "hospitals",
    "member": "members",
    "client": "clients",
    "staff": "staff",
    "plan": "plans",
    "reconcile": "reconcile",
    "rerate": "rerate",
}


class Commands(TyperGroup):
    """The commands by name; each module of this package has its command or its group as `app`."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the commands in the order in which a newcomer meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Import and return one command."""
        if cmd_name not in COMMANDS:
            return None
        command = typer.main.get_command(import_module(f"settlement.cli.{COMMANDS[cmd_name]}").app)
        command.name = cmd_name
        return command


app = typer.Typer(cls=Commands, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def settlement() -> None:
    """One-bill settlement: a trade union's medical mutual aid on the hospital bill itself."""
