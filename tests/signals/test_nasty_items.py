"""A delivery with something nasty in it: that one is refused or cleaned, all others are stored, and an answer comes."""

from __future__ import annotations

import json
import time
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from integrations.models import Connection
from junto.audit.models import AuditEntry
from signals.models import Signal
from tests.cases import Cast, set_the_stage
from tests.factories import ConnectionFactory
from tests.signals.test_sync_api import ITEM, ApiCase


def nested(depth: int, core: str = '"x"') -> str:
    return "[" * depth + core + "]" * depth


def item(external_id: str = "1", **fields: str) -> str:
    """An item as text; the fields are JSON, as Python could not write all of them."""
    said = {name: json.dumps(value) for name, value in (ITEM | {"external_id": external_id}).items()} | fields
    return "{" + ", ".join(f'"{name}": {value}' for name, value in said.items()) + "}"


#: Items that no delivery may founder on. Some can be stored, cleaned; none may touch its neighbours.
NASTY = {
    "half a character as its id": '{"external_id": "\\ud800"}',
    "half a character in its id": item("\ud800a"),
    "half a character as a field's name": '{"external_id": "3", "\\ud800": 1}',
    "a NUL deep inside": item("4", raw=nested(600, '"\\u0000"')),
    "deep": item("5", raw=nested(930)),
    "deeper than the parser goes": item("6", raw=nested(50_000)),
    "deep in a place of its own": item("7", subject=nested(2_000)),
    "an endless number": item("8", raw="1" * 5_000),
    "an endless number as its id": '{"external_id": ' + "7" * 5_000 + "}",
    "a number beyond all": item("9", raw="1e999"),
    "a year before all years": item("10", updated_at='"0001-01-01T00:00:00+14:00"'),
    "a year after all years": item("11", created_at='"9999-12-31T23:59:59-14:00"'),
    "a text": '"nonsense"',
    "nothing": "null",
    "a board that is a list": item("12", board="[]"),
    "a note that is a text": item("13", notes='["x"]'),
    "notes that are an object": item("14", notes="{}"),
    "objects where texts go": item("15", company="{}", devices="[{}]"),
    "cut emoji everywhere": item(
        "16", subject='"\\ud83d"', description='"a\\u0000b\\ud83d"', raw='{"\\ud83d": "\\udc00"}'
    ),
    "a field that nobody knows": item("17", time="[]"),
    "a fraction as its id": item("18").replace('"18"', "12.5"),
    "true as its id": item("19").replace('"19"', "true"),
    "a moment in words": item("20", updated_at='"yesterday at nine"'),
    "a number as a moment": item("21", created_at="1795251600"),
    "a moment of a note in words": item("22", notes='[{"external_id": "1", "text": "x", "written_at": "21.11.2026"}]'),
}


class NastyItemTests(ApiCase):
    def refused(self, text: str) -> str:
        """The reason for which this item alone was refused."""
        answer = self.post('{"connection": "connectwise", "items": [' + text + ", " + item("good") + "]}")
        assert answer.status_code == 200
        nasty, good = answer.json()["results"]
        assert good["outcome"] in {"created", "unchanged"}
        assert nasty["outcome"] == "refused", nasty
        reason: str = nasty["reason"]
        return reason

    def test_each_is_refused_in_words_of_ours(self) -> None:
        for name, words in {
            "half a character as its id": "updated_at: This field is required.",
            "a NUL deep inside": "It is nested deeper than 50 levels: send a flatter record.",
            "deep": "nested deeper than 50 levels",
            "deeper than the parser goes": "nested deeper than 50 levels",
            "an endless number": "It holds a number of 5,000 digits, the limit is 1,000.",
            "a number beyond all": "It holds a number that is too large.",
            "a text": "This must be an object; text came.",
            "nothing": "This must be an object; nothing came.",
            "a board that is a list": "board: This must be an object; a list came.",
            "a note that is a text": "notes.0: This must be an object; text came.",
            "notes that are an object": "notes: This must be a list.",
            "a fraction as its id": "external_id: This must be a text or a whole number. Put quotes around it.",
            "true as its id": "external_id: This must be a text.",
            "a moment in words": "updated_at: This must be a moment as 2026-11-21T14:05:00Z.",
            "a number as a moment": "created_at: This must be a moment as 2026-11-21T14:05:00Z.",
            "a moment of a note in words": "written_at: This must be a moment as 2026-11-21T14:05:00Z.",
            "a year before all years": "updated_at: This moment is outside the calendar.",
            "a field that nobody knows": "time: There is no such field. Known are: external_id, updated_at,",
        }.items():
            assert words in self.refused(NASTY[name]), name

    def test_cut_emoji_and_nul_are_taken_out_and_the_ticket_is_kept(self) -> None:
        self.post('{"connection": "connectwise", "items": [' + NASTY["cut emoji everywhere"] + "]}")
        signal = Signal.objects.for_organization(self.northwind).get()
        assert (signal.subject, signal.description, signal.raw) == ("\ufffd", "ab\ufffd", {"\ufffd": "\ufffd"})

    def test_null_means_empty(self) -> None:
        note = {"external_id": "1", "author": None, "internal": None, "written_at": "2026-11-20T08:30:00Z"}
        nothing = dict.fromkeys(("priority", "assignee", "closed", "devices", "board", "raw", "created_at", "company"))
        answer = self.sync(ITEM | nothing | {"notes": [note], "devices": [None]})
        assert answer.json()["counts"] == {"created": 1}
        signal = Signal.objects.for_organization(self.northwind).get()
        assert (signal.priority, signal.closed_at_source, signal.raw) == ("", False, {})
        assert signal.notes.get().internal

    def test_too_many_notes_are_refused_before_they_are_read(self) -> None:
        begun = time.process_time()
        answer = self.sync(ITEM | {"notes": ["x"] * 100_000}, ITEM | {"external_id": "2", "devices": [{}] * 100_000})
        assert [one["reason"] for one in answer.json()["results"]] == [
            "notes: 100,000 are too many, the limit is 1,000.",
            "devices: 100,000 are too many, the limit is 100.",
        ]
        assert time.process_time() - begun < 2

    def test_a_delivery_with_too_many_notes_in_all_is_taken_up_to_there(self) -> None:
        items = [ITEM | {"external_id": str(number), "notes": ["x"] * 1000} for number in range(10)]
        results = self.sync(*items, ITEM).json()["results"]
        assert results[9]["reason"] == "notes.0: This must be an object; text came."
        assert results[10]["reason"].startswith("This delivery holds more than 10,000 notes, ")


class DryRunTests(ApiCase):
    def try_out(self, *items: Any, dry_run: str = "1") -> Any:
        return self.client.post(
            f"/api/v1/northwind/signals/sync?dry_run={dry_run}",
            data=json.dumps({"connection": "connectwise", "items": list(items)}),
            content_type="application/json",
            headers={"authorization": f"Bearer {self.secret}"},
        )

    def test_it_says_what_would_happen_and_writes_nothing(self) -> None:
        self.sync(ITEM)
        entries = AuditEntry.objects.for_organization(self.northwind).count()
        newer = ITEM | {"updated_at": "2026-11-20T10:00:00Z", "subject": "Outlook is fine"}
        with self.captureOnCommitCallbacks() as rung:
            answer = self.try_out(newer, ITEM | {"external_id": "2"}, "nonsense").json()
        assert (answer["dry_run"], answer["counts"]) == (True, {"updated": 1, "created": 1, "refused": 1})
        signal = Signal.objects.for_organization(self.northwind).get()
        assert [one["signal"] for one in answer["results"]] == [str(signal.pk), None, None]
        assert signal.subject == ITEM["subject"]
        assert AuditEntry.objects.for_organization(self.northwind).count() == entries
        assert rung == []

    def test_without_it_the_same_is_written(self) -> None:
        assert self.try_out(ITEM, dry_run="0").json()["dry_run"] is False
        assert Signal.objects.for_organization(self.northwind).count() == 1

    def test_a_value_that_is_neither_yes_nor_no_writes_nothing(self) -> None:
        answer = self.try_out(ITEM, dry_run="maybe")
        assert (answer.status_code, answer.json()["detail"]) == (400, "`dry_run` is 1 or 0.")
        assert not Signal.objects.for_organization(self.northwind).exists()


class AnyDeliveryTests(Cast, TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        set_the_stage(cls)
        ConnectionFactory(organization=cls.northwind)

    @settings(max_examples=20, deadline=None)
    @given(st.lists(st.sampled_from([*NASTY, "good"]), min_size=1, max_size=8), st.booleans())
    def test_whatever_stands_beside_it_every_good_item_is_stored(self, names: list[str], dry_run: bool) -> None:
        secret = self.token(self.adam, "signals:write")
        texts = [NASTY.get(name, item(f"good{index}")) for index, name in enumerate(names)]
        answer = self.client.post(
            f"/api/v1/northwind/signals/sync?dry_run={int(dry_run)}",
            data='{"connection": "connectwise", "items": [' + ", ".join(texts) + "]}",
            content_type="application/json",
            headers={"authorization": f"Bearer {secret}"},
        )
        assert answer.status_code == 200, answer.content
        results = answer.json()["results"]
        assert [one["index"] for one in results] == list(range(len(names)))
        good = {f"good{index}" for index, name in enumerate(names) if name == "good"}
        assert {one["external_id"] for one in results if one["outcome"] == "created"} >= good
        kept = Signal.objects.for_organization(self.northwind).filter(external_id__in=good)
        assert kept.count() == (0 if dry_run else len(good))
        assert Connection.objects.for_organization(self.northwind).count() == 1
