"""One-bill settlement: a trade union's medical mutual aid on the hospital bill itself."""

ENGINE_VERSION = "3"
"""What computes an amount; it changes when the same plan and inputs would give another fen, step or receipt."""
