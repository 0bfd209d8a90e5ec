"""Hudu as the sandbox plays it."""
