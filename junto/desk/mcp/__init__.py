"""Junto as an MCP server: the REST API's rights and verbs, in the shape in which a language model uses them.

`view` is the door, `protocol` the only module that knows the SDK, `calls` runs one call, `catalogue` lists what there
is. A call reaches the services that pages and REST reach, with the token's actor, and decides nothing.
"""
