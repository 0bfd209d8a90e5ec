"""ConnectWise PSA: its client, its records and its tools."""
