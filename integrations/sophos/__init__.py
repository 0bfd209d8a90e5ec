"""Sophos Central: endpoint protection of the clients of an MSP, one tenant each."""
