"""Background work: a loop that calls use cases in their turn. Killed at any moment it strands nothing."""
