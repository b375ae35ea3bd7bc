"""Store: the database, the only thing two processes share."""
