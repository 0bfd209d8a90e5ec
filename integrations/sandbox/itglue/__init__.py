"""IT Glue's API, played on loopback."""
