"""Pax8 as the sandbox plays it."""
