"""Who works in the demo's two organizations. Login names are their names in the PSA."""

from __future__ import annotations

from dataclasses import dataclass

from junto.tenants.permissions import Role


@dataclass(frozen=True)
class Person:
    """Somebody of the demo; `login` is also their member identifier in the PSA."""

    login: str
    first: str
    last: str
    role: Role


@dataclass(frozen=True)
class Firm:
    """An organization of the demo, whose Owner comes first. `slug` is also its name in the vendor sandbox."""

    slug: str
    name: str
    people: tuple[Person, ...]


FIRMS = (
    Firm(
        slug="northwind",
        name="Northwind MSP",
        people=(
            Person("olivia", "Olivia", "Brandt", Role.OWNER),
            Person("adam", "Adam", "Osei", Role.ADMIN),
            Person("mara", "Mara", "Lindqvist", Role.MANAGER),
            Person("miguel", "Miguel", "Santos", Role.MANAGER),
            Person("oskar", "Oskar", "Nowak", Role.OPERATOR),
            Person("orla", "Orla", "Byrne", Role.OPERATOR),
            Person("theo", "Theo", "Hartmann", Role.TECHNICIAN),
            Person("tara", "Tara", "Iyer", Role.TECHNICIAN),
            Person("tim", "Tim", "Okafor", Role.TECHNICIAN),
            Person("tess", "Tess", "van Dijk", Role.TECHNICIAN),
        ),
    ),
    Firm(
        slug="southgate",
        name="Southgate IT",
        people=(
            Person("ines", "Ines", "Carvalho", Role.OWNER),
            Person("ivan", "Ivan", "Petrov", Role.OPERATOR),
            Person("isla", "Isla", "Murray", Role.TECHNICIAN),
        ),
    ),
)
