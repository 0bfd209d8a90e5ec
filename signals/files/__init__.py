"""Tickets out of a CSV file: its columns, a preview, and the reading in."""
