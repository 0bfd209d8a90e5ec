"""The vendor sandbox: the vendors' APIs over real HTTP on loopback, with a believable MSP inside.

A process of its own (`python -m integrations.sandbox`). It imports nothing else of this project and nothing
imports it, so that what it answers can never be bent to what our clients happen to expect.
"""
