"""Solved tickets that are like one."""
