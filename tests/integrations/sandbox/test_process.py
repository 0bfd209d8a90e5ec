"""The sandbox as a process: what it keeps, what it logs, who may steer it, and what it says when it cannot start."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from tests.integrations.sandbox.connectwise_api import northwind
from tests.sandbox_process import ROOT, SandboxProcess, running_sandbox


def _run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "integrations.sandbox", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.mark.crash
def test_a_killed_sandbox_has_kept_every_effect_and_its_row_in_the_log(tmp_path: Path) -> None:
    with running_sandbox(tmp_path, seed="empty") as sandbox:
        sandbox.plant_company("HARBOR", "Harbor Dental Group")
        api = northwind(sandbox)
        for number in range(20):
            api.call("POST", "/service/tickets", json={"summary": f"Ticket {number}", "company": {"id": 1}})
        sandbox.process.send_signal(signal.SIGKILL)
        sandbox.process.wait(5)
    with running_sandbox(tmp_path) as sandbox:
        kept = [ticket["summary"] for ticket in northwind(sandbox).get("/service/tickets", pageSize=100)]
        logged = [row["body"]["summary"] for row in sandbox.effects()]
    assert kept == logged == [f"Ticket {number}" for number in range(20)]


def test_a_restart_keeps_the_world_and_goes_on_with_the_log(tmp_path: Path) -> None:
    log = tmp_path / "elsewhere" / "log.jsonl"
    with running_sandbox(tmp_path / "state", log=log) as sandbox:
        ticket = sandbox.plant_ticket("Kept over the restart")
        northwind(sandbox).get(f"/service/tickets/{ticket}")
    with running_sandbox(tmp_path / "state", log=log) as sandbox:
        assert northwind(sandbox).get(f"/service/tickets/{ticket}")["summary"] == "Kept over the restart"
    assert [json.loads(line)["n"] for line in log.read_text().splitlines()] == [1, 2]


def test_an_id_once_given_out_is_never_used_again(tmp_path: Path) -> None:
    with running_sandbox(tmp_path) as sandbox:
        deleted = sandbox.plant_ticket("Soon gone")
        sandbox.delete("tickets", deleted)
    with running_sandbox(tmp_path) as sandbox:
        assert sandbox.plant_ticket("Another") == deleted + 1


def test_a_row_of_the_log_tells_everything_but_the_secrets(sandbox: SandboxProcess) -> None:
    api = northwind(sandbox)
    ticket = sandbox.plant_ticket()
    body = {"text": "See below.", "internalAnalysisFlag": True, "portalPassword": "hunter2"}
    api.call("POST", f"/service/tickets/{ticket}/notes", json=body)
    api.call("POST", f"/service/tickets/{ticket}/notes", json={"text": "Done.", "internalAnalysisFlag": True})
    refused, done = sandbox.log()
    assert (refused["status"], refused["effect"], refused["record"]) == (400, False, None)
    assert refused["body"]["portalPassword"] == "[redacted]"
    assert (done["vendor"], done["owner"], done["method"], done["status"], done["effect"]) == (
        "connectwise",
        "northwind",
        "POST",
        201,
        True,
    )
    assert done["path"] == f"/connectwise/v4_6_release/apis/3.0/service/tickets/{ticket}/notes"
    assert done["route"] == "/service/tickets/{parentId}/notes"
    assert done["body"] == {"text": "Done.", "internalAnalysisFlag": True}
    assert (done["record"]["verb"], done["record"]["kind"]) == ("created", "note")
    assert {"authorization", "clientid"} <= set(done["headers_seen"])
    written = (sandbox.state / "requests.jsonl").read_text()
    assert api.connection.private_key not in written
    assert "hunter2" not in written


def test_two_sandboxes_cannot_share_a_state_folder(tmp_path: Path) -> None:
    with running_sandbox(tmp_path):
        second = _run("--port", "0", "--state", str(tmp_path))
    assert second.returncode == 2
    assert second.stderr.strip() == f"The vendor sandbox cannot start: another sandbox is running on {tmp_path}"


def test_a_taken_port_is_one_sentence_and_a_failure(sandbox: SandboxProcess, tmp_path: Path) -> None:
    second = _run("--port", str(sandbox.port), "--state", str(tmp_path))
    assert second.returncode == 2
    assert second.stderr.startswith("The vendor sandbox cannot start: ")
    assert second.stderr.count("\n") == 1


def test_the_connections_are_printed_without_starting(tmp_path: Path) -> None:
    printed = _run("--port", "8123", "--state", str(tmp_path / "never"), "--print-connections")
    rows = json.loads(printed.stdout)
    assert {row["name"] for row in rows if row["vendor"] == "connectwise"} == {
        "northwind",
        "southgate",
        "northwind-readonly",
    }
    assert {row["name"] for row in rows if row["vendor"] == "ninjaone"} == {
        "northwind-rmm",
        "southgate-rmm",
        "northwind-rmm-reading",
        "northwind-rmm-machine",
    }
    assert {row["name"] for row in rows if row["vendor"] == "itglue"} == {
        "northwind-docs",
        "southgate-docs",
        "northwind-docs-passwords",
        "northwind-docs-revoked",
    }
    assert {row["name"] for row in rows if row["vendor"] == "pax8"} == {"northwind-pax8", "southgate-pax8"}
    assert {row["name"] for row in rows if row["vendor"] == "sophos"} == {
        "northwind-sophos",
        "southgate-sophos",
        "northwind-sophos-reading",
        "northwind-sophos-organization",
        "northwind-sophos-harbor",
    }
    assert all(f"{row['base_url']}/".startswith(f"http://127.0.0.1:8123/{row['vendor']}/") for row in rows)
    assert not (tmp_path / "never").exists()


def test_it_stands_alone_without_the_product_and_without_django() -> None:
    ours = ("junto", "agent", "runbooks", "signals", "approvals", "django")
    code = (
        "import sys, integrations.sandbox.__main__; "
        f"found = [name for name in sys.modules if name.split('.')[0] in {ours!r} "
        "or (name.startswith('integrations.') and not name.startswith('integrations.sandbox'))]; "
        "sys.exit(', '.join(found) or 0)"
    )
    process = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=30, check=False
    )
    assert (process.returncode, process.stderr) == (0, "")


def test_health_is_anonymous_and_not_in_the_log(sandbox: SandboxProcess) -> None:
    assert requests.get(f"{sandbox.base_url}/healthz", timeout=20).status_code == 200
    assert sandbox.log() == []


@pytest.mark.parametrize("headers", [{"Host": "sandbox.example"}, {"Origin": "http://evil.example"}])
def test_the_control_plane_answers_no_page_in_a_browser(sandbox: SandboxProcess, headers: dict[str, str]) -> None:
    answer = requests.post(f"{sandbox.base_url}/_sandbox/reset", headers=headers, timeout=20)
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "nothing", None),
        ("POST", "reset", {"seed": "chaos"}),
        ("POST", "connectwise/tickets", {"owner": "nobody", "record": {}}),
        ("POST", "connectwise/tickets", {"record": {"summary": "no company"}}),
        ("POST", "connectwise/spaceships", {"record": {}}),
        ("PATCH", "connectwise/tickets/999999", {"operations": []}),
        ("DELETE", "connectwise/tickets/999999", {}),
        ("GET", "log?since=x", None),
    ],
)
def test_a_control_that_makes_no_sense_is_refused(
    sandbox: SandboxProcess, method: str, path: str, body: object
) -> None:
    answer = requests.request(method, f"{sandbox.base_url}/_sandbox/{path}", json=body, timeout=20)
    assert answer.status_code in (400, 404)


def test_somebody_elses_change_shows_under_their_name_and_is_no_request(sandbox: SandboxProcess) -> None:
    ticket = sandbox.plant_ticket()
    sandbox.change_ticket(ticket, status={"name": "Escalated"}, by="mara")
    shown = northwind(sandbox).get(f"/service/tickets/{ticket}")
    assert (shown["status"]["name"], shown["_info"]["updatedBy"]) == ("Escalated", "mara")
    assert sandbox.effects() == []


def test_many_planted_records_are_all_there_or_none(sandbox: SandboxProcess) -> None:
    good, bad = {"summary": "One", "company": {"id": 250}}, {"summary": "Two"}
    before = len(sandbox.stored("tickets"))
    body = {"records": [good, bad]}
    assert requests.post(f"{sandbox.base_url}/_sandbox/connectwise/tickets", json=body, timeout=20).status_code == 400
    assert len(sandbox.stored("tickets")) == before
    assert len(sandbox.plant_many("tickets", [good, good])) == 2


def test_a_ten_megabyte_ticket_is_taken_and_a_larger_body_is_413(sandbox: SandboxProcess) -> None:
    api = northwind(sandbox)
    huge = {"summary": "Huge", "company": {"id": 250}, "initialDescription": "x" * 10_000_000}
    assert api.call("POST", "/service/tickets", json=huge).status_code == 201
    assert sandbox.effects()[0]["body"] == {"_bytes": len(json.dumps(huge))}
    assert api.call("POST", "/service/tickets", data=b"x" * 34_000_000).status_code == 413


def test_tls_is_served_under_an_authority_of_the_state_folder_and_by_no_other(tmp_path: Path) -> None:
    with running_sandbox(tmp_path, tls=True) as sandbox:
        connection = sandbox.connections["northwind"]
        url = f"{sandbox.tls_url}/connectwise/v4_6_release/apis/3.0/service/tickets?pageSize=1"
        login = (f"{connection.company_id}+{connection.public_key}", connection.private_key)
        headers = {"clientId": connection.client_id}
        authority = str(tmp_path / "tls" / "authority.pem")
        answer = requests.get(url, auth=login, headers=headers, verify=authority, timeout=20)
        assert answer.status_code == 200
        assert answer.links["next"]["url"].startswith(sandbox.tls_url)
        with pytest.raises(requests.exceptions.SSLError):
            requests.get(url, auth=login, headers=headers, timeout=20)
        assert (tmp_path / "tls" / "server.key").stat().st_mode & 0o077 == 0
