"""What PostgreSQL takes by COPY is what it takes by INSERT."""

from __future__ import annotations

from typing import Any

import pytest

from signals.intake.inserting import insert_signals
from signals.models import Signal
from tests.cases import JuntoTestCase
from tests.factories import ConnectionFactory
from tests.signals.deliveries import START

#: What a text format may trip over: its own sign of NULL, tabs, line ends, backslashes, quotes, signs beyond ASCII.
NASTY = 'a\tb\nc\r\\N \\. "quoted" {1,2} \\x41 ü 漢 \U0001f600'


@pytest.mark.service
class InsertingTests(JuntoTestCase):
    def test_every_column_is_stored_as_an_insert_stores_it(self) -> None:
        psa = ConnectionFactory(organization=self.northwind)
        columns: dict[str, Any] = {
            "organization_id": self.northwind.pk,
            "connection_id": psa.pk,
            "company_id": self.harlow.pk,
            "subject": NASTY.replace("\n", " "),
            "description": NASTY,
            "raw": {"said": NASTY, "nothing": None, "list": [1, 2.5, True, {"deep": []}]},
            "state": Signal.State.NEEDS_REVIEW,
            "state_reason": "",
            "source_created_at": START,
            "source_updated_at": START,
            "revision": 1,
            "closed_at_source": True,
        }
        copied = Signal.with_columns(columns | {"external_id": "1"})
        inserted = Signal.with_columns(columns | {"external_id": "2"})
        insert_signals([copied])
        Signal.unscoped.bulk_create([inserted])
        first, second = Signal.unscoped.filter(connection=psa).order_by("external_id").values()
        differing = {name for name in first if first[name] != second[name]}
        assert differing == {"id", "external_id", "words", "created_at", "changed_at"}
        assert first["words"].replace(" 1", " 2", 1) == second["words"]
        assert first["description"] == NASTY
        copied.subject = "Changed"
        copied.save()
        assert Signal.unscoped.filter(connection=psa).count() == 2

    def test_a_row_that_is_there_stays_as_it_is_and_the_others_come_in(self) -> None:
        psa = ConnectionFactory(organization=self.northwind)
        columns: dict[str, Any] = {
            "organization_id": self.northwind.pk,
            "connection_id": psa.pk,
            "source_created_at": START,
            "source_updated_at": START,
            "revision": 1,
        }
        insert_signals([Signal.with_columns(columns | {"external_id": "1", "subject": "There"})])
        insert_signals([Signal.with_columns(columns | {"external_id": each, "subject": "New"}) for each in ("1", "2")])
        told = Signal.unscoped.filter(connection=psa).values_list("external_id", "subject")
        assert dict(told) == {"1": "There", "2": "New"}
