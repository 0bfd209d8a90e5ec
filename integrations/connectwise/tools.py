"""ConnectWise's tools. Importing this module declares them; contracts and tests read the list."""

from __future__ import annotations

from integrations.connectwise import changes, entries, links, moves, reading, schedule
from integrations.tools import AnyTool

TOOLS: tuple[AnyTool, ...] = (
    reading.search_tickets,
    reading.get_ticket,
    reading.list_ticket_time,
    reading.find_company,
    reading.find_contact,
    reading.list_configurations,
    reading.board_options,
    reading.list_members,
    schedule.list_schedule,
    links.list_attachments,
    changes.create_ticket,
    entries.add_internal_note,
    entries.add_customer_note,
    changes.set_ticket_status,
    changes.classify_ticket,
    changes.assign_ticket,
    moves.move_to_board,
    moves.move_to_company,
    entries.add_time_entry,
    schedule.schedule_ticket,
    links.attach_configuration,
    links.merge_tickets,
)
