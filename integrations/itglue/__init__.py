"""IT Glue: its client, its records and its tools."""
