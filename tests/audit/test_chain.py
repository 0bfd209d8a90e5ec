"""Whatever somebody does to the log, the chain shows it."""

import random
import uuid
from collections.abc import Callable
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from structlog.testing import capture_logs

from junto.audit.models import AppendOnly, AuditEntry, AuditHead
from junto.audit.services import NoTransaction, record, verify_chain
from junto.audit.tasks import export_heads
from tests.append_only import audit_log_unguarded
from tests.cases import JuntoTestCase, JuntoTransactionTestCase

ENTRIES = 30
MUTATIONS = 1000


class RecordTests(JuntoTestCase):
    """One deed, one entry."""

    def test_numbers_run_from_one_without_gap_in_each_organization(self) -> None:
        for organization in (self.northwind, self.southgate):
            numbers = AuditEntry.objects.for_organization(organization).values_list("number", flat=True)
            assert list(numbers) == list(range(1, len(numbers) + 1))

    def test_an_entry_that_is_rolled_back_leaves_no_gap(self) -> None:
        actor = self.actor(self.mara)
        with transaction.atomic():
            record(actor, "test.lost", self.harlow)
            transaction.set_rollback(True)
        record(actor, "test.kept", self.harlow)
        assert verify_chain(self.northwind).ok

    def test_any_detail_comes_back_as_it_was_written(self) -> None:
        detail = {
            "text": "NUL \x00, half a pair \ud83d, zero width \u200b, right to left \u202e",
            "float": 0.1 + 0.2,
            "whole float": 1e22,
            "large": 10**30,
            "nested": {"list": [1, None, True, {"id": uuid.uuid4()}]},
            "\x00key": "x",
        }
        record(self.actor(self.mara), "test.odd", self.harlow, detail)
        assert verify_chain(self.northwind).ok

    def test_the_entry_says_who_what_and_on_what(self) -> None:
        entry = record(self.actor(self.mara), "test.done", self.harlow, {"why": "because"})
        assert (entry.actor_kind, entry.actor_label) == ("person", "Mara Lindholm")
        assert entry.actor_id == str(self.mara.pk)
        assert (entry.target_type, entry.target_id) == ("tenants.company", str(self.harlow.pk))
        assert entry.detail == {"why": "because"}

    def test_two_organizations_have_two_chains(self) -> None:
        before = AuditHead.objects.for_organization(self.southgate).get().number
        record(self.actor(self.mara), "test.done", self.harlow)
        assert AuditHead.objects.for_organization(self.southgate).get().number == before


class OutsideTransactionTests(JuntoTransactionTestCase):
    """An entry belongs into the transaction of the change it tells of."""

    def test_recording_outside_a_transaction_is_refused(self) -> None:
        with pytest.raises(NoTransaction):
            record(self.actor(self.mara), "test.done", self.harlow)


class AppendOnlyTests(JuntoTestCase):
    """Neither our code nor the database lets an entry be changed."""

    def entry(self) -> AuditEntry:
        return AuditEntry.objects.for_organization(self.northwind)[0]

    def test_the_model_refuses_a_second_save(self) -> None:
        with pytest.raises(AppendOnly):
            self.entry().save()

    def test_the_model_refuses_to_delete(self) -> None:
        with pytest.raises(AppendOnly):
            self.entry().delete()

    def test_the_database_refuses_an_update(self) -> None:
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            AuditEntry.objects.for_organization(self.northwind).update(verb="nothing.happened")

    def test_the_database_refuses_a_delete(self) -> None:
        with (
            pytest.raises(DatabaseError, match="append-only"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute("DELETE FROM audit_auditentry")


class TamperingTests(JuntoTransactionTestCase):
    """Somebody who owns the database edits, deletes, swaps, inserts, moves or cuts off."""

    def setUp(self) -> None:
        super().setUp()
        actor = self.actor(self.mara)
        with transaction.atomic():
            for number in range(ENTRIES):
                record(actor, f"test.{number % 3}", self.harlow, {"number": number, "text": "as it was"})

    def entries(self) -> list[AuditEntry]:
        return list(AuditEntry.objects.for_organization(self.northwind).order_by("number"))

    def change(self, entry: AuditEntry, **columns: object) -> None:
        AuditEntry.unscoped.filter(pk=entry.pk).update(**columns)

    @pytest.mark.slow
    def test_a_thousand_random_mutations_are_all_found(self) -> None:
        seed = random.randrange(10**9)
        chance = random.Random(seed)
        mutations: list[Callable[[random.Random], None]] = [
            self.edit,
            self.delete,
            self.swap,
            self.cut_tail,
            self.insert,
            self.turn_back_head,
        ]
        with audit_log_unguarded():
            for number in range(MUTATIONS):
                mutation = chance.choice(mutations)
                with transaction.atomic():
                    mutation(chance)
                    report = verify_chain(self.northwind)
                    assert not report.ok, f"seed {seed}, mutation {number} ({mutation.__name__}) was not found"
                    assert report.reason
                    transaction.set_rollback(True)
            assert verify_chain(self.northwind).ok

    def edit(self, chance: random.Random) -> None:
        entry = chance.choice(self.entries())
        changes: dict[str, object] = {
            "id": uuid.uuid4(),
            "at": entry.at + timedelta(microseconds=1),
            "actor_kind": "agent",
            "actor_label": entry.actor_label + " ",
            "actor_id": str(uuid.uuid4()),
            "verb": entry.verb + "x",
            "target_type": "tenants.user",
            "target_id": str(uuid.uuid4()),
            "detail": {**entry.detail, "text": "as it never was"},
            "previous_hash": "0" * 64,
            "hash": "f" * 64,
            "number": entry.number + 1000,
        }
        # The first entry's previous hash is all zeros already, a kind may be the same: no change, nothing to find.
        column = chance.choice([name for name, value in changes.items() if getattr(entry, name) != value])
        self.change(entry, **{column: changes[column]})

    def delete(self, chance: random.Random) -> None:
        AuditEntry.unscoped.filter(pk=chance.choice(self.entries()).pk).delete()

    def swap(self, chance: random.Random) -> None:
        one, other = chance.sample(self.entries(), 2)
        self.change(one, number=0)
        self.change(other, number=one.number)
        self.change(one, number=other.number)

    def cut_tail(self, chance: random.Random) -> None:
        entries = self.entries()
        keep = chance.randrange(len(entries))
        AuditEntry.unscoped.filter(organization=self.northwind, number__gt=keep).delete()

    def insert(self, chance: random.Random) -> None:
        last = self.entries()[-1]
        AuditEntry.unscoped.bulk_create(
            [
                AuditEntry(
                    organization=self.northwind,
                    number=last.number + 1,
                    at=last.at,
                    actor_kind="person",
                    actor_label="Theo Okafor",
                    verb="action.approved",
                    target_type="approvals.action",
                    target_id=str(uuid.uuid4()),
                    previous_hash=last.hash,
                    hash=f"{chance.getrandbits(256):064x}",
                )
            ]
        )

    def turn_back_head(self, chance: random.Random) -> None:
        earlier = chance.choice(self.entries()[:-1])
        AuditHead.unscoped.filter(organization=self.northwind).update(number=earlier.number, hash=earlier.hash)

    def test_an_entry_moved_to_the_rival_is_found_at_both(self) -> None:
        with audit_log_unguarded(), transaction.atomic():
            last = self.entries()[-1]
            number = AuditHead.objects.for_organization(self.southgate).get().number + 1
            self.change(last, organization=self.southgate, number=number)
            assert not verify_chain(self.northwind).ok
            assert not verify_chain(self.southgate).ok

    def test_the_first_broken_entry_is_named(self) -> None:
        with audit_log_unguarded(), transaction.atomic():
            for entry in self.entries()[6:9]:
                self.change(entry, verb="nothing.happened")
            assert verify_chain(self.northwind).broken_number == 7

    def test_a_tail_cut_off_together_with_its_head_shows_against_an_exported_head(self) -> None:
        head = AuditHead.objects.for_organization(self.northwind).get()
        with audit_log_unguarded(), transaction.atomic():
            entries = self.entries()
            AuditEntry.unscoped.filter(pk=entries[-1].pk).delete()
            AuditHead.unscoped.filter(pk=head.pk).update(number=entries[-2].number, hash=entries[-2].hash)
            assert verify_chain(self.northwind).ok
            report = verify_chain(self.northwind, exported_head=(head.number, head.hash))
            assert not report.ok
            assert str(head.number) in report.reason

    def test_an_emptied_log_does_not_hold(self) -> None:
        with audit_log_unguarded(), transaction.atomic():
            AuditEntry.unscoped.filter(organization=self.northwind).delete()
            AuditHead.unscoped.filter(organization=self.northwind).update(number=0, hash="")
            assert "is empty" in verify_chain(self.northwind).reason

    def test_the_hourly_head_in_the_servers_log_shows_a_cut(self) -> None:
        with capture_logs() as lines:
            export_heads.func()
        exported = next(line["head"] for line in lines if line["organization"] == "northwind")
        number, _, digest = exported.partition(":")
        with audit_log_unguarded(), transaction.atomic():
            entries = self.entries()
            AuditEntry.unscoped.filter(pk=entries[-1].pk).delete()
            AuditHead.unscoped.filter(organization=self.northwind).update(
                number=entries[-2].number, hash=entries[-2].hash
            )
            assert not verify_chain(self.northwind, exported_head=(int(number), digest)).ok

    def test_an_exported_head_still_holds_after_more_entries(self) -> None:
        head = AuditHead.objects.for_organization(self.northwind).get()
        with transaction.atomic():
            record(self.actor(self.mara), "test.later", self.harlow)
        assert verify_chain(self.northwind, exported_head=(head.number, head.hash)).ok

    def test_the_chain_cannot_be_forged_without_the_key(self) -> None:
        with audit_log_unguarded(), self.settings(AUDIT_KEY="another key, as whoever stole the database has none"):
            assert not verify_chain(self.northwind).ok


class CommandTests(JuntoTransactionTestCase):
    """`bin/junto audit verify`."""

    def verify(self, *arguments: str) -> str:
        output = StringIO()
        call_command("audit", "verify", *arguments, stdout=output)
        return output.getvalue()

    def test_it_tells_entries_and_head_of_each_organization(self) -> None:
        head = AuditHead.objects.for_organization(self.northwind).get()
        assert f"northwind: {head.number} entries hold, head {head.number}:{head.hash}" in self.verify()
        assert "southgate" in self.verify()

    def test_it_fails_and_names_the_first_broken_entry(self) -> None:
        with audit_log_unguarded():
            AuditEntry.unscoped.filter(organization=self.northwind, number=2).update(verb="nothing.happened")
        with pytest.raises(CommandError, match="northwind: entry 2 is not as it was written"):
            self.verify()
        assert "southgate" in self.verify("--organization", "southgate")

    def test_it_holds_the_log_against_an_exported_head(self) -> None:
        head = AuditHead.objects.for_organization(self.northwind).get()
        assert "hold" in self.verify("--organization", "northwind", "--head", f"{head.number}:{head.hash}")
        with pytest.raises(CommandError, match="is not the one that was exported"):
            self.verify("--organization", "northwind", "--head", f"{head.number + 5}:{head.hash}")

    def test_an_unknown_organization_is_an_error(self) -> None:
        with pytest.raises(CommandError, match="no organization nowhere"):
            self.verify("--organization", "nowhere")
