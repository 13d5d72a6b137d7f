"""Real processes that are killed while hospitals work: the parts, the tills, and what must hold afterwards."""
