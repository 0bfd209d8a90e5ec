"""Hudu: its client, its records and its tools."""
