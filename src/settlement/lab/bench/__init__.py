"""What one settlement costs, measured side by side with `pgbench` on the same statements in the same run."""
