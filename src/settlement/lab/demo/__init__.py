"""A city on one machine: our processes, the simulated insurer, hospitals that treat people and bring their bills."""
