"""What the MSP wrote down of its clients, as IT Glue holds it: assets, documents, passwords, domains, dates."""

from __future__ import annotations

from integrations.sandbox.itglue.seeding import Base
from integrations.sandbox.json_types import Json, Record
from integrations.sandbox.world.documentation import Ending

FIRST_ASSET, FIRST_DOCUMENT, FIRST_SECTION, FIRST_PASSWORD = 4_010_001, 61_001, 90_001, 9_981
FIRST_TYPE, FIRST_FIELD, FIRST_DOMAIN = 33, 401, 401

_TYPES: dict[str, tuple[str, tuple[tuple[str, str, str], ...]]] = {
    "LAN": (
        "Networks at a site",
        (
            ("Name", "Text", "name"),
            ("Subnet", "Text", "subnet"),
            ("Gateway", "Text", "gateway"),
            ("DHCP range", "Text", "dhcp-range"),
            ("DNS servers", "Text", "dns-servers"),
            ("Devices", "Tag", "devices"),
            ("Notes", "Textbox", "notes"),
        ),
    ),
    "Wireless": (
        "Wireless networks",
        (
            ("SSID", "Text", "ssid"),
            ("Security", "Select", "security"),
            ("Pre-shared key", "Password", "pre-shared-key"),
            ("Devices", "Tag", "devices"),
            ("Notes", "Textbox", "notes"),
        ),
    ),
    "Backup": (
        "What is backed up, where to, how long",
        (
            ("Name", "Text", "name"),
            ("Source", "Text", "source"),
            ("Target", "Text", "target"),
            ("Schedule", "Text", "schedule"),
            ("Retention", "Text", "retention"),
            ("Encryption password", "Password", "encryption-password"),
            ("Last restore test", "Date", "last-restore-test"),
            ("Devices", "Tag", "devices"),
        ),
    ),
    "Application": (
        "Line-of-business applications",
        (
            ("Name", "Text", "name"),
            ("Version", "Text", "version"),
            ("Vendor support", "Text", "vendor-support"),
            ("Devices", "Tag", "devices"),
            ("Notes", "Textbox", "notes"),
        ),
    ),
}


class Library:
    """Makes the records, by the ids that a `Base` gave."""

    def __init__(self, base: Base) -> None:
        self._base = base

    def assets(self) -> tuple[list[Record], list[Record], list[Record]]:
        """Kinds, their fields, and the assets."""
        types: list[Record] = []
        fields: list[Record] = []
        for at, (name, (words, columns)) in enumerate(_TYPES.items()):
            number = FIRST_TYPE + at
            stamps: Record = {"created-at": self._base.ago("220w"), "updated-at": self._base.ago("90w")}
            types.append(
                {
                    "id": number,
                    "attributes": {"name": name, "description": words, "icon": "file", "show-in-menu": True, **stamps},
                }
            )
            fields += [
                {
                    "id": FIRST_FIELD + len(fields) + order,
                    "attributes": {
                        "flexible-asset-type-id": number,
                        "order": order + 1,
                        "name": label,
                        "kind": kind,
                        "hint": None,
                        "tag-type": "Configurations" if kind == "Tag" else None,
                        "required": order == 0,
                        "use-for-title": order == 0,
                        "expiration": False,
                        "show-in-list": True,
                        "name-key": key,
                        **stamps,
                    },
                }
                for order, (label, kind, key) in enumerate(columns)
            ]
        return types, fields, self._asset_rows()

    def _asset_rows(self) -> list[Record]:
        names = list(_TYPES)
        rows: list[Record] = []
        for at, one in enumerate(self._base.written.assets):
            tagged: list[Json] = [{"id": self._base.devices[name], "name": name} for name in one.devices]
            traits: Record = {**one.fields, "devices": {"type": "Configurations", "values": tagged}}
            rows.append(
                {
                    "id": FIRST_ASSET + at,
                    "attributes": {
                        "organization-id": self._base.organizations[one.company],
                        "restricted": False,
                        "my-glue": False,
                        "flexible-asset-type-id": FIRST_TYPE + names.index(one.type),
                        "flexible-asset-type-name": one.type,
                        "name": one.name,
                        "traits": traits,
                        "archived": False,
                        "created-at": self._base.ago("120w"),
                        "updated-at": self._base.ago("15w"),
                    },
                }
            )
        return rows

    def documents(self) -> tuple[list[Record], list[Record]]:
        """Documents and their sections."""
        documents: list[Record] = []
        sections: list[Record] = []
        for at, one in enumerate(self._base.written.documents):
            number = FIRST_DOCUMENT + at
            documents.append(
                {
                    "id": number,
                    "attributes": {
                        "organization-id": self._base.organizations[one.company],
                        "name": one.name,
                        "restricted": one.restricted,
                        "public": False,
                        "my-glue": False,
                        "archived": False,
                        "is-uploaded": False,
                        "document-folder-id": None,
                        "created-at": self._base.ago(one.age),
                        "updated-at": self._base.ago(one.published or one.age),
                        "published-at": self._base.ago(one.published) if one.published else None,
                    },
                }
            )
            sections += [
                {
                    "id": FIRST_SECTION + len(sections) + order,
                    "attributes": {
                        "document-id": number,
                        "resource-type": f"Document::{kind}",
                        "content": html,
                        "rendered-content": html,
                        "level": 2 if kind == "Heading" else None,
                        "sort": order + 1,
                        "created-at": self._base.ago(one.age),
                        "updated-at": self._base.ago(one.age),
                    },
                }
                for order, (kind, html) in enumerate(one.sections)
            ]
        return documents, sections

    def passwords(self) -> list[Record]:
        """With values, which no answer should show to Junto."""
        categories = sorted({one.category for one in self._base.written.passwords})
        return [
            {
                "id": FIRST_PASSWORD + at,
                "attributes": {
                    "organization-id": self._base.organizations[one.company],
                    "restricted": one.restricted,
                    "my-glue": False,
                    "archived": False,
                    "name": one.name,
                    "autofill-selectors": None,
                    "username": one.username,
                    "password": f"sandbox-secret-value-{at}",
                    "otp-secret": f"SANDBOXSECRETSEED{at}",
                    "url": one.url or None,
                    "notes": one.notes or None,
                    "password-updated-at": self._base.ago(one.age),
                    "updated-by": 4444,
                    "resource-id": self._base.devices.get(one.belongs_to),
                    "resource-type": "Configuration" if one.belongs_to else None,
                    "cached-resource-type-name": "Configuration" if one.belongs_to else None,
                    "cached-resource-name": one.belongs_to or None,
                    "password-category-id": 15 + categories.index(one.category),
                    "password-category-name": one.category,
                    "created-at": self._base.ago(one.age),
                    "updated-at": self._base.ago(one.age),
                },
            }
            for at, one in enumerate(self._base.written.passwords)
        ]

    def domains(self) -> list[Record]:
        """Registered names."""
        return [self._domain(FIRST_DOMAIN + at, one) for at, one in enumerate(self._base.written.domains)]

    def _domain(self, number: int, one: Ending) -> Record:
        return {
            "id": number,
            "attributes": {
                "organization-id": self._base.organizations[one.company],
                "name": one.name,
                "screenshot": None,
                "registrar-name": one.registrar,
                "notes": None,
                "expires-on": self._base.ahead(one.ends),
                "updated-at": self._base.ago("1d"),
            },
        }

    def expirations(self) -> list[Record]:
        """Of warranties, domains and certificates."""
        rows: list[tuple[str, str, str, int, str]] = [
            (one.company, "Warranty", "Configuration", self._base.devices[one.name], one.name)
            for one in self._base.facts.devices
        ]
        ends = {one.name: self._base.warranty(one) for one in self._base.facts.devices}
        for word, kind, endings in (
            ("Domain expiration", "Domain", self._base.written.domains),
            ("SSL certificate expiration", "SSL Certificate", self._base.written.certificates),
        ):
            rows += [(one.company, word, kind, FIRST_DOMAIN + at, one.name) for at, one in enumerate(endings)]
            ends |= {f"{kind}/{one.name}": self._base.ahead(one.ends) for one in endings}
        return [
            {
                "id": 1 + at,
                "attributes": {
                    "organization-id": self._base.organizations[company],
                    "description": words,
                    "expiration-date": ends.get(f"{kind}/{name}") or ends[name],
                    "created-at": self._base.ago("100w"),
                    "updated-at": self._base.ago("100w"),
                    "resource-id": number,
                    "resource-type": kind.replace(" ", ""),
                    "resource-type-name": kind,
                    "resource-name": name,
                },
            }
            for at, (company, words, kind, number, name) in enumerate(rows)
        ]
