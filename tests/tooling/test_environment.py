"""The environment is read strictly, and its table in the docs is complete."""

import re
from decimal import Decimal
from ipaddress import ip_network
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from junto import env

DOCS = env.ROOT / "docs" / "environment.md"


def test_the_docs_hold_exactly_the_known_variables():
    rows = re.findall(r"^\| `([A-Z_]+)` \| (.*) \| (.*) \|$", DOCS.read_text(encoding="utf-8"), re.MULTILINE)

    assert rows == [(name, variable.help, variable.default) for name, variable in env.KNOWN.items()]


def test_every_variable_that_the_code_reads_is_known():
    folders = [env.ROOT / name for name in ("junto", "integrations", "approvals", "signals", "runbooks", "agent")]
    paths = [*(path for folder in folders for path in folder.rglob("*.py")), *(env.ROOT / "tests").glob("*.py")]
    read = {name for path in paths for name in re.findall(r"""["'](JUNTO_[A-Z_]*[A-Z])["']""", path.read_text("utf-8"))}

    assert read <= set(env.KNOWN)


def test_a_misspelt_name_is_refused_by_its_name(monkeypatch):
    monkeypatch.setenv("JUNTO_WRONG_HOSTS", "example.com")

    with pytest.raises(ImproperlyConfigured, match=r"^JUNTO_WRONG_HOSTS is no variable"):
        env.refuse_unknown_names()


@pytest.mark.parametrize("word", ["1", "true", "YES", "on"])
def test_yes_has_several_spellings(monkeypatch, word):
    monkeypatch.setenv("JUNTO_DEBUG", word)

    assert env.env_bool("JUNTO_DEBUG", False) is True


def test_a_word_that_is_neither_yes_nor_no_is_refused(monkeypatch):
    monkeypatch.setenv("JUNTO_DEBUG", "perhaps")

    with pytest.raises(ImproperlyConfigured, match="JUNTO_DEBUG is neither yes nor no"):
        env.env_bool("JUNTO_DEBUG", False)


def test_an_empty_value_means_the_default(monkeypatch):
    monkeypatch.setenv("JUNTO_DEBUG", " ")

    assert env.env_bool("JUNTO_DEBUG", True) is True


def test_an_empty_entry_in_a_list_is_refused(monkeypatch):
    monkeypatch.setenv("JUNTO_ALLOWED_HOSTS", "one.example,,two.example")

    with pytest.raises(ImproperlyConfigured, match="empty entry"):
        env.env_list("JUNTO_ALLOWED_HOSTS")


def test_a_relative_path_counts_from_the_project(monkeypatch):
    monkeypatch.setenv("JUNTO_DATA_DIR", "elsewhere")

    assert env.data_dir() == env.ROOT / "elsewhere"


@pytest.mark.parametrize("url", ["mysql://x/y", "postgres://", "postgres://host:port/x", "nonsense"])
def test_a_database_url_of_another_kind_is_refused(monkeypatch, url):
    monkeypatch.setenv("DATABASE_URL", url)

    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL"):
        env.env_url("DATABASE_URL")


def test_no_message_repeats_the_password_of_a_url(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "mysql://junto:hunter2@db/x")

    with pytest.raises(ImproperlyConfigured) as refused:
        env.env_url("DATABASE_URL")
    assert "hunter2" not in str(refused.value)


def test_a_missing_secret_says_how_to_make_it(monkeypatch, tmp_path: Path):
    monkeypatch.delenv("JUNTO_SECRET_KEY")
    monkeypatch.setenv("JUNTO_DATA_DIR", str(tmp_path))

    with pytest.raises(ImproperlyConfigured, match="run bin/junto up"):
        env.env_secret("JUNTO_SECRET_KEY")


def test_a_secret_is_read_from_the_data_folder(monkeypatch, tmp_path: Path):
    monkeypatch.delenv("JUNTO_SECRET_KEY")
    monkeypatch.setenv("JUNTO_DATA_DIR", str(tmp_path))
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "JUNTO_SECRET_KEY").write_text("x" * 40 + "\n", encoding="utf-8")

    assert env.env_secret("JUNTO_SECRET_KEY") == "x" * 40


def test_a_short_secret_is_refused_without_showing_it(monkeypatch):
    monkeypatch.setenv("JUNTO_AUDIT_KEY", "hunter2")

    with pytest.raises(ImproperlyConfigured, match="too short") as refused:
        env.env_secret("JUNTO_AUDIT_KEY")
    assert "hunter2" not in str(refused.value)


def test_the_first_credential_key_is_the_current_one(monkeypatch):
    key = "dGhpcnR5LXR3byBieXRlcywgZm9yIHRlc3RzIG9ubHk="
    monkeypatch.setenv("JUNTO_CREDENTIAL_KEYS", f"new:{key}, old:{key}")

    assert list(env.env_keys("JUNTO_CREDENTIAL_KEYS")) == ["new", "old"]


@pytest.mark.parametrize("value", ["no colon here but long enough to pass", "id:c2hvcnQ=" + " " * 40, "k:" + "!" * 44])
def test_a_malformed_credential_key_is_refused(monkeypatch, value):
    monkeypatch.setenv("JUNTO_CREDENTIAL_KEYS", value + ",")

    with pytest.raises(ImproperlyConfigured, match="JUNTO_CREDENTIAL_KEYS"):
        env.env_keys("JUNTO_CREDENTIAL_KEYS")


def test_local_targets_are_exact_pairs(monkeypatch):
    monkeypatch.setenv("JUNTO_LOCAL_TARGETS", "127.0.0.1:20001, [::1]:11434, Model.local:80")

    assert env.env_targets("JUNTO_LOCAL_TARGETS") == {("127.0.0.1", 20001), ("::1", 11434), ("model.local", 80)}


@pytest.mark.parametrize("value", ["127.0.0.1", "127.0.0.1:0", "http://127.0.0.1:80", "a:b", "user@host:80", "h:80/x"])
def test_a_malformed_local_target_is_refused(monkeypatch, value):
    monkeypatch.setenv("JUNTO_LOCAL_TARGETS", value)

    with pytest.raises(ImproperlyConfigured, match="JUNTO_LOCAL_TARGETS"):
        env.env_targets("JUNTO_LOCAL_TARGETS")


def test_prices_are_dollars_for_a_million_tokens_by_the_models_name(monkeypatch):
    monkeypatch.setenv("JUNTO_LLM_PRICES", "big-1=2.50/10, house/small:7b=0/0")

    prices = env.env_prices("JUNTO_LLM_PRICES", model="big-1")
    assert prices == {"big-1": (Decimal("2.50"), Decimal(10)), "house/small:7b": (Decimal(0), Decimal(0))}


@pytest.mark.parametrize("value", ["big-1", "big-1=2.50", "b=-1/2", "=1/2", "b=1/2/3", "b=one/two", "b=1e9/1"])
def test_a_malformed_price_is_refused(monkeypatch, value):
    monkeypatch.setenv("JUNTO_LLM_PRICES", value)

    with pytest.raises(ImproperlyConfigured, match="JUNTO_LLM_PRICES is malformed"):
        env.env_prices("JUNTO_LLM_PRICES", model="")


def test_prices_that_leave_out_the_model_in_use_are_refused(monkeypatch):
    monkeypatch.setenv("JUNTO_LLM_PRICES", "big-1=2.50/10")

    with pytest.raises(ImproperlyConfigured, match="no price for big-2"):
        env.env_prices("JUNTO_LLM_PRICES", model="big-2")


@pytest.mark.parametrize("value", ["http://x/", "junto.example:8000", "junto.example/o", "a b"])
def test_a_host_with_scheme_port_or_path_is_refused(monkeypatch, value):
    monkeypatch.setenv("JUNTO_ALLOWED_HOSTS", value)

    with pytest.raises(ImproperlyConfigured, match="JUNTO_ALLOWED_HOSTS is malformed"):
        env.env_hosts("JUNTO_ALLOWED_HOSTS", ["localhost"])


def test_hosts_are_names_wildcards_and_bracketed_addresses(monkeypatch):
    monkeypatch.setenv("JUNTO_ALLOWED_HOSTS", "junto.example, .example.com, *, [::1], 10.1.2.3, junto_web")

    assert len(env.env_hosts("JUNTO_ALLOWED_HOSTS", [])) == 6


@pytest.mark.parametrize("value", ["8.8.8.8:80", "127.0.0.1:80,[2606:4700::1]:443"])
def test_a_public_local_target_is_refused(monkeypatch, value):
    monkeypatch.setenv("JUNTO_LOCAL_TARGETS", value)

    with pytest.raises(ImproperlyConfigured, match="public address"):
        env.env_targets("JUNTO_LOCAL_TARGETS")


@pytest.mark.parametrize("value", ["8.8.8.0/24", "10.0.0.0/8,0.0.0.0/0", "::/0"])
def test_a_public_network_is_refused(monkeypatch, value):
    monkeypatch.setenv("JUNTO_PRIVATE_CIDRS", value)

    with pytest.raises(ImproperlyConfigured, match="public addresses"):
        env.env_networks("JUNTO_PRIVATE_CIDRS")


@pytest.mark.parametrize("name", ["JUNTO_LLM_MODEL", "JUNTO_LLM_API_KEY"])
def test_half_a_model_is_refused(monkeypatch, name):
    monkeypatch.delenv("JUNTO_LLM_BASE_URL", raising=False)
    monkeypatch.setenv(name, "x")

    with pytest.raises(ImproperlyConfigured, match=f"{name} is set without JUNTO_LLM_BASE_URL"):
        env.refuse_half_a_model()


def test_private_networks_are_read_as_networks(monkeypatch):
    monkeypatch.setenv("JUNTO_PRIVATE_CIDRS", "10.1.0.0/16,fd00::/8")

    assert env.env_networks("JUNTO_PRIVATE_CIDRS") == (ip_network("10.1.0.0/16"), ip_network("fd00::/8"))
