"""Pax8: the distributor that an MSP buys its clients' licences from."""
