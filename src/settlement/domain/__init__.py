"""Values and pure functions: no clock, no database, no network, no logging."""
