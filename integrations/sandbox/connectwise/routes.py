"""The operations of the vendor's contract that this sandbox serves."""

from __future__ import annotations

from integrations.sandbox.connectwise import (
    client_records,
    documents,
    notes,
    record_types,
    schedules,
    setup_types,
    tickets,
    time_entries,
)
from integrations.sandbox.connectwise.callbacks import key_endpoint
from integrations.sandbox.connectwise.operations import (
    Source,
    bare_list,
    create_endpoint,
    delete_endpoint,
    json_body,
    listed,
    one_endpoint,
    patch_endpoint,
    simple_create,
    simple_patch,
)
from integrations.sandbox.connectwise.problems import not_found
from integrations.sandbox.connectwise.queries import read_page, read_search
from integrations.sandbox.connectwise.routing import CONTENT_TYPE, Call, Route, RouteTable, ok, record_id
from integrations.sandbox.json_types import Json, Record
from integrations.sandbox.store import World
from integrations.sandbox.wire import Answer, Effect, json_answer


def _search_tickets(call: Call) -> Answer:
    query = read_search(call.request, json_body(call))
    page = read_page(call.world, record_types.TICKET, call.world.all("ticket"), query, call.request)
    return ok([*page.records], link=page.link)


def _ticket_of(call: Call) -> Record:
    return tickets.get_ticket(call.world, call.ids[0])


def _create_note(call: Call, body: Json) -> Record:
    _ticket_of(call)
    note = notes.create_note(call.world, call.ids[0], body, by=call.by)
    tickets.touch_ticket(call.world, call.ids[0], by=call.by)
    return note


def _patch_note(call: Call, body: Json) -> Record:
    _ticket_of(call)
    note = notes.patch_note(call.world, call.ids[0], call.ids[1], body, by=call.by)
    tickets.touch_ticket(call.world, call.ids[0], by=call.by)
    return note


def _all_notes(call: Call) -> list[Record]:
    return notes.conversation(call.world, record_id(_ticket_of(call)))


def _ticket_time(call: Call) -> list[Record]:
    found = time_entries.time_entries_of(call.world, record_id(_ticket_of(call)))
    return [{"id": entry["id"], "_info": {}} for entry in found]


def _ticket_schedule(call: Call) -> list[Record]:
    found = schedules.schedule_entries_of(call.world, record_id(_ticket_of(call)))
    return [{"id": entry["id"], "description": entry.get("name", ""), "_info": {}} for entry in found]


def _ticket_configurations(call: Call) -> list[Record]:
    return client_records.configurations_of(call.world, record_id(_ticket_of(call)))


def _attach_configuration(call: Call) -> Answer:
    attached = client_records.attach_configuration(call.world, _ticket_of(call), json_body(call))
    tickets.touch_ticket(call.world, call.ids[0], by=call.by)
    effect = Effect("created", "ticket_configuration", record_id(attached))
    return json_answer(201, attached, content_type=CONTENT_TYPE, effect=effect)


def _detach_configuration(call: Call) -> None:
    client_records.detach_configuration(call.world, _ticket_of(call), call.ids[1])
    tickets.touch_ticket(call.world, call.ids[0], by=call.by)


def _merge(call: Call) -> Answer:
    tickets.merge_tickets(call.world, call.ids[0], json_body(call), by=call.by)
    effect = Effect("changed", "ticket", call.ids[0])
    body: Record = {"success": True, "message": "Tickets merged."}
    return json_answer(200, body, content_type=CONTENT_TYPE, effect=effect)


def _of_ticket(kind: str) -> Source:
    def source(call: Call) -> list[Record]:
        ticket_id = record_id(_ticket_of(call))
        return [record for record in call.world.all(kind) if record.get("ticketId") == ticket_id]

    return source


def _of_board(kind: str, field: str = "board") -> Source:
    def source(call: Call) -> list[Record]:
        board = call.ids[0]
        if call.world.get("board", board) is None:
            raise not_found("Board", board)
        return [record for record in call.world.all(kind) if record.get(field) == board]

    return source


def _of_company(call: Call) -> list[Record]:
    if call.world.get("company", call.ids[0]) is None:
        raise not_found("Company", call.ids[0])
    return [site for site in call.world.all("site") if site.get("company") == call.ids[0]]


def _communications(call: Call) -> list[Record]:
    return client_records.communications_of(client_records.get_contact(call.world, call.ids[0]))


def _add_communication(call: Call) -> Answer:
    added = client_records.add_communication(call.world, call.ids[0], json_body(call), by=call.by)
    return json_answer(201, added, content_type=CONTENT_TYPE, effect=Effect("changed", "contact", call.ids[0]))


def _task_of_ticket(call: Call) -> Record:
    return _child_of_ticket(call.world, "ticket_task", call.ids[0], call.ids[1])


def _child_of_ticket(world: World, kind: str, ticket_id: int, number: int) -> Record:
    record = world.get(kind, number)
    if record is None or record.get("ticketId") != ticket_id:
        raise not_found("Task", number)
    return record


def _patch_task(call: Call, body: Json) -> Record:
    _task_of_ticket(call)
    return simple_patch(record_types.TICKET_TASK)(call, body)


def _delete_callback(call: Call) -> None:
    if call.world.get("callback", call.ids[0]) is None:
        raise not_found("Callback", call.ids[0])
    call.world.remove("callback", call.ids[0])


def _info(call: Call) -> Answer:
    return ok(
        {
            "version": "v2025.1.0",
            "isCloud": True,
            "serverTimeZone": "UTC",
            "licenseBits": [{"name": "Service", "activeFlag": True}],
            "cloudRegion": "NA",
            "maxWorkFlowRecordsAllowed": 2000,
        }
    )


def _ticket_routes() -> list[Route]:
    ticket, note, task = record_types.TICKET, record_types.NOTE, record_types.TICKET_TASK
    base, one = "/service/tickets", "/service/tickets/{id}"
    child = "/service/tickets/{parentId}"
    return [
        *listed(ticket, base),
        Route(
            "POST",
            base,
            create_endpoint(ticket, lambda call, body: tickets.create_ticket(call.world, body, by=call.by)),
        ),
        Route("POST", f"{base}/search", _search_tickets),
        Route("GET", one, one_endpoint(ticket, lambda call: tickets.get_ticket(call.world, call.ids[0]))),
        Route(
            "PATCH",
            one,
            patch_endpoint(ticket, lambda call, body: tickets.patch_ticket(call.world, call.ids[0], body, by=call.by)),
        ),
        *listed(note, f"{child}/notes", lambda call: notes.notes_of(call.world, record_id(_ticket_of(call)))),
        Route("POST", f"{child}/notes", create_endpoint(note, _create_note)),
        Route(
            "GET",
            f"{child}/notes/{{id}}",
            one_endpoint(note, lambda call: notes.get_note(call.world, call.ids[0], call.ids[1])),
        ),
        Route("PATCH", f"{child}/notes/{{id}}", patch_endpoint(note, _patch_note)),
        *listed(record_types.ANY_NOTE, f"{child}/allNotes", _all_notes),
        Route("GET", f"{child}/timeentries", bare_list(_ticket_time)),
        Route("GET", f"{child}/configurations", bare_list(_ticket_configurations)),
        Route("POST", f"{child}/configurations", _attach_configuration),
        Route(
            "DELETE", f"{child}/configurations/{{id}}", delete_endpoint("ticket_configuration", _detach_configuration)
        ),
        Route("GET", f"{child}/scheduleentries", bare_list(_ticket_schedule)),
        Route("POST", f"{child}/merge", _merge),
        *listed(task, f"{child}/tasks", _of_ticket("ticket_task")),
        Route("POST", f"{child}/tasks", create_endpoint(task, simple_create(task, ticketId="ticket"))),
        Route("GET", f"{child}/tasks/{{id}}", one_endpoint(task, _task_of_ticket)),
        Route("PATCH", f"{child}/tasks/{{id}}", patch_endpoint(task, _patch_task)),
    ]


def _board_routes() -> list[Route]:
    child = "/service/boards/{parentId}"
    return [
        *listed(setup_types.BOARD, "/service/boards"),
        Route("GET", "/service/boards/{id}", one_endpoint(setup_types.BOARD)),
        *listed(setup_types.STATUS, f"{child}/statuses", _of_board("status")),
        *listed(setup_types.BOARD_TYPE, f"{child}/types", _of_board("type")),
        *listed(setup_types.SUBTYPE, f"{child}/subtypes", _of_board("subtype")),
        *listed(setup_types.ITEM, f"{child}/items", _of_board("item")),
        *listed(setup_types.TEAM, f"{child}/teams", _of_board("team", "boardId")),
        *listed(setup_types.ASSOCIATION, f"{child}/typeSubTypeItemAssociations", _of_board("association")),
        *listed(setup_types.PRIORITY, "/service/priorities"),
        *listed(setup_types.named("source", "source"), "/service/sources"),
        *listed(setup_types.SLA, "/service/SLAs"),
        *listed(setup_types.KNOWLEDGE_ARTICLE, "/service/knowledgeBaseArticles"),
    ]


def _company_routes() -> list[Route]:
    company = record_types.COMPANY
    return [
        *listed(company, "/company/companies"),
        *listed(setup_types.named("company_status", "companyStatus"), "/company/companies/statuses"),
        *listed(setup_types.named("company_type", "companyType"), "/company/companies/types"),
        Route(
            "POST",
            "/company/companies",
            create_endpoint(company, lambda call, body: client_records.create_company(call.world, body, by=call.by)),
        ),
        Route("GET", "/company/companies/{id}", one_endpoint(company)),
        Route(
            "PATCH",
            "/company/companies/{id}",
            patch_endpoint(
                company, lambda call, body: client_records.patch_company(call.world, call.ids[0], body, by=call.by)
            ),
        ),
        *listed(record_types.SITE, "/company/companies/{parentId}/sites", _of_company),
    ]


def _contact_routes() -> list[Route]:
    contact = record_types.CONTACT
    return [
        *listed(contact, "/company/contacts"),
        Route(
            "POST",
            "/company/contacts",
            create_endpoint(contact, lambda call, body: client_records.create_contact(call.world, body, by=call.by)),
        ),
        Route("GET", "/company/contacts/{id}", one_endpoint(contact)),
        Route(
            "PATCH",
            "/company/contacts/{id}",
            patch_endpoint(
                contact, lambda call, body: client_records.patch_contact(call.world, call.ids[0], body, by=call.by)
            ),
        ),
        Route("GET", "/company/contacts/{parentId}/communications", bare_list(_communications)),
        Route("POST", "/company/contacts/{parentId}/communications", _add_communication),
    ]


def _configuration_routes() -> list[Route]:
    configuration = record_types.CONFIGURATION
    return [
        *listed(configuration, "/company/configurations"),
        *listed(setup_types.named("configuration_type", "configurationType"), "/company/configurations/types"),
        *listed(setup_types.CONFIGURATION_STATUS, "/company/configurations/statuses"),
        Route(
            "POST",
            "/company/configurations",
            create_endpoint(
                configuration, lambda call, body: client_records.create_configuration(call.world, body, by=call.by)
            ),
        ),
        Route("GET", "/company/configurations/{id}", one_endpoint(configuration)),
        Route(
            "PATCH",
            "/company/configurations/{id}",
            patch_endpoint(
                configuration,
                lambda call, body: client_records.patch_configuration(call.world, call.ids[0], body, by=call.by),
            ),
        ),
    ]


def _time_routes() -> list[Route]:
    entry = record_types.TIME_ENTRY
    base, one = "/time/entries", "/time/entries/{id}"
    return [
        *listed(entry, base),
        Route(
            "POST",
            base,
            create_endpoint(entry, lambda call, body: time_entries.create_time_entry(call.world, body, by=call.by)),
        ),
        Route("GET", one, one_endpoint(entry)),
        Route(
            "PATCH",
            one,
            patch_endpoint(
                entry, lambda call, body: time_entries.patch_time_entry(call.world, call.ids[0], body, by=call.by)
            ),
        ),
        Route(
            "DELETE",
            one,
            delete_endpoint(
                "time_entry", lambda call: time_entries.delete_time_entry(call.world, call.ids[0], by=call.by)
            ),
        ),
        *listed(setup_types.WORK_TYPE, "/time/workTypes"),
        *listed(setup_types.WORK_ROLE, "/time/workRoles"),
    ]


def _schedule_routes() -> list[Route]:
    entry = record_types.SCHEDULE_ENTRY
    base, one = "/schedule/entries", "/schedule/entries/{id}"
    return [
        *listed(entry, base),
        Route(
            "POST",
            base,
            create_endpoint(entry, lambda call, body: schedules.create_schedule_entry(call.world, body, by=call.by)),
        ),
        Route("GET", one, one_endpoint(entry)),
        Route(
            "PATCH",
            one,
            patch_endpoint(
                entry, lambda call, body: schedules.patch_schedule_entry(call.world, call.ids[0], body, by=call.by)
            ),
        ),
        Route(
            "DELETE",
            one,
            delete_endpoint(
                "schedule_entry", lambda call: schedules.delete_schedule_entry(call.world, call.ids[0], by=call.by)
            ),
        ),
        *listed(setup_types.SCHEDULE_TYPE, "/schedule/types"),
        *listed(setup_types.named("schedule_status", "scheduleStatus"), "/schedule/statuses"),
    ]


def _system_routes() -> list[Route]:
    callback = record_types.CALLBACK
    return [
        *listed(record_types.MEMBER, "/system/members"),
        Route("GET", "/system/members/{id}", one_endpoint(record_types.MEMBER)),
        Route("GET", "/system/info", _info),
        Route("GET", "/system/documents", documents.files_of),
        *listed(callback, "/system/callbacks"),
        Route("POST", "/system/callbacks", create_endpoint(callback, simple_create(callback))),
        # not in the vendor's reference: where the `key_url` of its callbacks leads
        Route("GET", "/system/callbacks/keys/{id}", key_endpoint),
        Route("GET", "/system/callbacks/{id}", one_endpoint(callback)),
        Route("PATCH", "/system/callbacks/{id}", patch_endpoint(callback, simple_patch(callback))),
        Route("DELETE", "/system/callbacks/{id}", delete_endpoint("callback", _delete_callback)),
    ]


ROUTES = RouteTable(
    [
        *_ticket_routes(),
        *_board_routes(),
        *_company_routes(),
        *_contact_routes(),
        *_configuration_routes(),
        *_time_routes(),
        *_schedule_routes(),
        *_system_routes(),
    ]
)
