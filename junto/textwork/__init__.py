"""What a ticket tells without a language model: a summary, how its writer feels, names in it, what tools could do.

`read` takes a text apart once; `summarize`, `feel`, `find_entities` and `automation_potential` work on that reading.
Pure: no database, no network, no clock; same text, same answer. All texts are strangers': looked at, never obeyed.
"""

from junto.textwork.reading import Reading, read

__all__ = ["Reading", "read"]
