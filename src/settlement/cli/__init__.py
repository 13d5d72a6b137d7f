"""The commands, one file per group. Each has `--json` for machines and exit codes that mean something."""

from __future__ import annotations

import typer

from settlement.cli import clients, database, demo, doctor, plans, registry, serving

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="One-bill settlement: a trade union's medical mutual aid on the hospital bill itself.",
    pretty_exceptions_enable=False,
)
serving.add_to(app)
demo.add_to(app)
doctor.add_to(app)
app.add_typer(database.app, name="db")
app.add_typer(registry.fund, name="fund")
app.add_typer(registry.unit, name="unit")
app.add_typer(registry.hospital, name="hospital")
app.add_typer(registry.member, name="member")
app.add_typer(clients.app, name="client")
app.add_typer(plans.app, name="plan")
