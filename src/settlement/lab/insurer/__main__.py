"""`python -m settlement.lab.insurer`: run the simulated insurer from the command line."""

from __future__ import annotations

import argparse
from pathlib import Path

from settlement.lab.insurer.options import InsurerOptions
from settlement.lab.insurer.server import run


def read_options(arguments: list[str] | None = None) -> InsurerOptions:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="settlement.lab.insurer", description="The simulated medical insurer.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 lets the system choose; the URL is printed")
    parser.add_argument("--folder", type=Path, required=True, help="where state, raw log and files are kept")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--persons", type=int, default=6000)
    parser.add_argument("--clock", choices=("system", "message"), default="system")
    parser.add_argument("--area", default="371600", help="six-digit code of the city")
    parser.add_argument("--auth", choices=("none", "apikey", "x-tif"), default="none")
    parser.add_argument("--secret", default="test-secret", help="the apikey, or the key of the x-tif signature")
    return InsurerOptions(**vars(parser.parse_args(arguments)))


if __name__ == "__main__":
    run(read_options())
