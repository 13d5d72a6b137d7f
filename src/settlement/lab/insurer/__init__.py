"""The simulated insurer: a server of its own that behaves like the national interface and keeps its state.

It imports nothing of the product, so that a wrong field name cannot pass on both sides.
"""

from settlement.lab.insurer.options import InsurerOptions
from settlement.lab.insurer.server import InsurerServer, run

__all__ = ["InsurerOptions", "InsurerServer", "run"]
