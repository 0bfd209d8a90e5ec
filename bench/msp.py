"""The MSP of the benchmarks: its owner, its companies, and words for texts of believable size."""

from __future__ import annotations

import json
import os
import random

from bench.sandboxed import PSA
from integrations.models import Connection
from integrations.services import save_connection, sync_directory
from junto.team.organizations import create_company, create_organization
from junto.tenants.actors import Actor
from junto.tenants.models import Company, Membership, Organization, User

COMPANIES = 50
WORDS = [
    *("account", "mailbox", "printer", "server", "backup", "licence", "tunnel", "profile", "folder", "certificate"),
    *("restart", "check", "reset", "replace", "update", "remove", "restore", "assign", "confirm", "write"),
]


def make_msp() -> tuple[Actor, list[Company]]:
    """Northwind with its owner, who may do everything, and its companies."""
    user = User.objects.create_user("mara", "mara@northwind.example", "not used here")
    organization = create_organization(name="Northwind MSP", slug="northwind", owner=user)
    actor = actor_of(organization)
    return actor, [create_company(actor=actor, name=f"Company {number}") for number in range(COMPANIES)]


def actor_of(organization: Organization) -> Actor:
    """The only member."""
    rows = Membership.objects.for_organization(organization).select_related("user", "organization")
    return Actor.person(rows.get())


def connect_psa(actor: Actor) -> Connection:
    """The sandbox's ConnectWise, its companies read (bench/sandboxed.py)."""
    psa = save_connection(actor=actor, vendor="connectwise", label="ConnectWise", **json.loads(os.environ[PSA]))
    sync_directory(psa)
    return psa


def text(chance: random.Random, words: int) -> str:
    """So many words, of seven letters on average."""
    return " ".join(chance.choices(WORDS, k=words))
