"""Shares in whole percent, as pages say them. Pure."""

from __future__ import annotations


def whole_percent(share: float) -> int:
    """0 to 100 of a share from 0 to 1. Only all is 100 and only nothing is 0, however near it comes."""
    return min(99, max(1, round(100 * share))) if 0 < share < 1 else round(100 * share)
