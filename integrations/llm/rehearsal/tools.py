"""Names of the tools that the rehearsal proposes by itself."""

CLASSIFY = "connectwise.classify_ticket"
ADD_NOTE = "connectwise.add_internal_note"
ADD_TIME = "connectwise.add_time_entry"
SET_STATUS = "connectwise.set_ticket_status"
ASSIGN = "connectwise.assign_ticket"
CREATE_TICKET = "connectwise.create_ticket"


def tool_words(tool: str) -> str:
    """What a tool does, in the words of its name."""
    return tool.rsplit(".", 1)[-1].replace("_", " ")
