"""The whole-system simulation: our code on a real PostgreSQL, with time, network and interleaving under a seed."""
