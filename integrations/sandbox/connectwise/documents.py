"""Files on records, as `/system/documents` lists them. Their contents are not kept here."""

from __future__ import annotations

from dataclasses import replace

from integrations.sandbox.connectwise.problems import bad_query
from integrations.sandbox.connectwise.queries import read_list_query, read_page
from integrations.sandbox.connectwise.record_types import DOCUMENT
from integrations.sandbox.connectwise.routing import Call, ok
from integrations.sandbox.json_types import Record
from integrations.sandbox.wire import Answer

_OF_RECORD = ("recordType", "recordId")


def files_of(call: Call) -> Answer:
    """The files of one record, named beside the usual query."""
    query = dict(call.request.query)
    kind, number = query.get("recordType"), query.get("recordId", "")
    if kind is None or not number.isdigit():
        raise bad_query("recordType and recordId are required")
    found = [one for one in call.world.all("document") if [one.get(name) for name in _OF_RECORD] == [kind, int(number)]]
    plain = replace(call.request, query=tuple(pair for pair in call.request.query if pair[0] not in _OF_RECORD))
    page = read_page(call.world, DOCUMENT, found, read_list_query(plain), call.request)
    return ok([_shown(record) for record in page.records], link=page.link)


def _shown(record: Record) -> Record:
    return {name: value for name, value in record.items() if name not in _OF_RECORD}
