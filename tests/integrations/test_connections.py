"""Connections: who may touch them, where their keys go, what a test tells, what nobody ever sees."""

from __future__ import annotations

import socket
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from integrations.errors import ToolUnavailable
from integrations.models import Connection
from integrations.services import InvalidConnection, check_connection, offered_tools, save_connection, try_connection
from junto.audit.models import AuditEntry
from junto.tenants.permissions import PermissionDenied
from tests.integrations.connected import ConnectedTestCase
from tests.integrations.rogue import rogue_server, says


class SavingTests(ConnectedTestCase):
    def test_credentials_are_sealed_and_work_after_they_were_read_back(self) -> None:
        stored = Connection.objects.for_organization(self.northwind).get()

        for secret in self.secrets():
            assert secret not in stored.sealed_credentials
        assert check_connection(stored).ok

    def test_moving_to_another_host_wipes_the_credentials(self) -> None:
        with rogue_server(says("200 OK", b"[]")) as thief:
            self.settings.LOCAL_TARGETS |= {("127.0.0.1", thief.port)}
            self.save(base_url=thief.base_url, connection=self.connection)

            assert self.connection.sealed_credentials == ""
            assert not check_connection(self.connection).ok
            assert thief.requests == []

    def test_a_host_changed_behind_our_back_gets_no_credentials_either(self) -> None:
        with rogue_server(says("200 OK", b"[]")) as thief:
            self.settings.LOCAL_TARGETS |= {("127.0.0.1", thief.port)}
            Connection.unscoped.filter(pk=self.connection.pk).update(base_url=thief.base_url)
            self.connection.refresh_from_db()

            assert "do not open" in check_connection(self.connection).summary
            assert thief.requests == []

    def test_a_row_of_another_organization_does_not_open_with_our_credentials(self) -> None:
        rival = self.connect(self.ines, "southgate")
        rival.sealed_credentials = self.connection.sealed_credentials
        rival.save()

        assert not check_connection(rival).ok

    def test_a_new_label_keeps_the_credentials(self) -> None:
        self.save(label="Our PSA", connection=self.connection)

        assert check_connection(self.connection).ok

    def test_an_address_without_the_path_of_the_api_gets_it(self) -> None:
        saved = self.save(base_url=f"{self.sandbox.base_url}/connectwise/", connection=self.connection)

        assert saved.base_url == self.sandbox.connections["northwind"].api_url
        assert check_connection(saved).ok

    def test_a_forbidden_address_is_not_saved(self) -> None:
        for address in (
            "http://psa.example.com",
            "https://169.254.169.254:8443",
            "https://169.254.169.254",
            "https://127.0.0.1",
            "https://10.1.2.3",
            "https://[::1]",
            "ftp://x",
            "https://a:b@psa.example.com",
        ):
            with pytest.raises(InvalidConnection) as refused:
                self.save(base_url=address, connection=self.connection)
            assert refused.value.problems[0].field == "base_url"

    def test_impossible_credentials_are_refused_without_repeating_them(self) -> None:
        credentials = self.credentials("northwind") | {"private_key": "with a blank\nand a line"}

        with pytest.raises(InvalidConnection) as refused:
            self.save(credentials=credentials, connection=self.connection)

        assert refused.value.problems[0].field == "private_key"
        assert "with a blank" not in str(refused.value)

    def test_only_those_who_manage_integrations_may_save(self) -> None:
        for member in (self.mara, self.oskar, self.theo):
            with pytest.raises(PermissionDenied):
                save_connection(actor=self.actor(member), vendor="connectwise", label="", base_url="https://x.example")

    def test_a_change_is_in_the_audit_log_without_credentials(self) -> None:
        entries = AuditEntry.objects.for_organization(self.northwind).filter(verb="connection.made")

        assert entries.count() == 1
        assert not any(secret in str(entries[0].detail) for secret in self.secrets())

    def test_after_a_rotation_the_old_key_is_not_needed_any_more(self) -> None:
        old = self.settings.CREDENTIAL_KEYS
        self.settings.CREDENTIAL_KEYS = {"new": b"n" * 32, **old}
        call_command("reseal_credentials", stdout=StringIO())
        self.settings.CREDENTIAL_KEYS = {"new": b"n" * 32}
        self.connection.refresh_from_db()

        assert check_connection(self.connection).ok

    def test_a_rotation_says_which_credentials_are_lost(self) -> None:
        self.settings.CREDENTIAL_KEYS = {"new": b"n" * 32}

        with pytest.raises(CommandError, match="ConnectWise PSA"):
            call_command("reseal_credentials", stdout=StringIO())

    def save(self, **changes: Any) -> Connection:
        """Save as Adam, with the sandbox's address unless told otherwise."""
        fields = {"vendor": "connectwise", "label": "PSA", "base_url": self.sandbox.connections["northwind"].api_url}
        return save_connection(actor=self.actor(self.adam), **{**fields, **changes})

    def secrets(self) -> list[str]:
        """What must be seen nowhere."""
        credentials = self.credentials("northwind")
        return [credentials["private_key"], credentials["public_key"]]


class DiagnosisTests(ConnectedTestCase):
    def test_a_working_connection_says_so_and_is_marked(self) -> None:
        health = check_connection(self.connection)

        assert health.ok
        self.connection.refresh_from_db()
        assert self.connection.state == Connection.State.OK
        assert self.connection.succeeded_at is not None

    def test_each_failure_has_its_own_words_and_advice(self) -> None:
        cases: list[tuple[dict[str, Any], str, str]] = [
            ({"kind": "html", "status": 401}, "does not accept the credentials", "Enter the credentials again"),
            ({"kind": "status", "status": 403}, "have no right", "security role"),
            ({"kind": "status", "status": 404}, "no such record or address", "the API is not there"),
            ({"kind": "status", "status": 429, "retry_after": "99"}, "slow down for 99 s", "Wait a few minutes"),
            ({"kind": "status", "status": 500}, "an error of its own (500)", "try again later"),
            ({"kind": "html", "status": 200}, "answered with a web page", "something else than the API"),
            ({"kind": "truncated"}, "broke off", "is down"),
            ({"kind": "cut_before"}, "broke off", "is down"),
        ]
        for fault, words, advice in cases:
            self.sandbox.fault(**fault, count=None)
            health = try_connection(actor=self.actor(self.adam), connection=self.connection)
            self.sandbox.clear_faults()
            assert not health.ok, fault
            assert words in health.summary, (fault, health)
            assert advice in health.advice, (fault, health)

    def test_the_kinds_that_may_not_be_read_are_named(self) -> None:
        for path in ("*/service/boards", "*/time/entries"):
            self.sandbox.fault("status", status=403, path=path, count=None)
        health = try_connection(actor=self.actor(self.adam), connection=self.connection)
        assert health.summary == (
            "ConnectWise PSA lets the API member in, and does not let it read: service boards, time entries."
        )

    def test_a_wrong_key_is_named_as_that(self) -> None:
        wrong = self.credentials("northwind") | {"private_key": "wrong"}
        save_connection(
            actor=self.actor(self.adam),
            vendor="connectwise",
            label="PSA",
            base_url=self.connection.base_url,
            credentials=wrong,
            connection=self.connection,
        )

        health = check_connection(self.connection)

        assert "does not accept the credentials" in health.summary
        assert "public key" in health.advice

    def test_a_vendor_that_is_down_is_named_as_that_and_kept_on_the_row(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        self.settings.LOCAL_TARGETS |= {("127.0.0.1", port)}
        down = save_connection(
            actor=self.actor(self.adam),
            vendor="connectwise",
            label="PSA",
            base_url=f"http://127.0.0.1:{port}",
            credentials=self.credentials("northwind"),
            connection=self.connection,
        )

        assert "nothing answers" in check_connection(down).summary
        down.refresh_from_db()
        assert down.state == Connection.State.FAILING
        assert "nothing answers" in down.state_detail


class OfferTests(ConnectedTestCase):
    def test_a_linked_company_is_offered_the_vendors_tools(self) -> None:
        names = {tool.name for tool in offered_tools(organization=self.northwind, company=self.harbor)}

        assert "connectwise.add_internal_note" in names

    def test_a_company_without_a_link_or_a_paused_system_is_offered_none(self) -> None:
        assert not self.vendors(self.pinewood)
        Connection.unscoped.update(state=Connection.State.PAUSED)

        assert not self.vendors(self.harbor)
        with pytest.raises(ToolUnavailable, match="paused"):
            self.call("connectwise.find_company")

    def vendors(self, company: Any) -> set[str]:
        """The systems whose tools are offered."""
        return {tool.vendor for tool in offered_tools(organization=self.northwind, company=company)} - {"junto"}
