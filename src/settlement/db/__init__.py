"""Tables and named queries by subject. A query takes a connection and returns frozen dataclasses or plain values."""
