"""The use cases, one per file, verb first. They open the transaction, call the core, call the database."""
