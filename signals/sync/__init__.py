"""Keeping in step with a vendor that is connected: the poll, its webhooks, its alerts, comparison and repair."""
