"""What the front doors of all vendors share: whose world it is, and what the control plane may see and take away."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import ClassVar

from integrations.sandbox.json_types import Json, Record
from integrations.sandbox.postman import Change, Letter
from integrations.sandbox.store import Store, World


class FrontDoor:
    """A vendor's front door. All methods but `recognise` run inside `Store.change()`."""

    slug: ClassVar[str]
    kinds: ClassVar[Mapping[str, str]]
    """The collections that the control plane names, and the kind of record each holds."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def owners(self) -> list[str]:
        """The MSPs that have a world at this vendor."""
        raise NotImplementedError

    def is_seeded(self, owner: str) -> bool:
        """Whether the owner's world was filled before."""
        return self._store.is_seeded(self.slug, owner)

    def letters(self, change: Change, base_url: str) -> list[Letter]:
        """What is told to others about a change: nothing, unless the vendor says otherwise."""
        return []

    def change(self, owner: str, collection: str, number: int, operations: Json, *, by: str) -> Record:
        """Change a record as somebody else at the vendor would, by new values. Raises ValueError."""
        world, kind = self.world(owner), self.kind(collection)
        record = deepcopy(world.get(kind, number))
        if record is None or not isinstance(operations, dict):
            raise ValueError(f"there is no {kind} {number}, or nothing to change on it")
        self.edit(kind, record, operations)
        world.save(kind, record)
        return record

    def edit(self, kind: str, record: Record, values: Record) -> None:
        """Put new values into a record, where this vendor keeps them. Raises ValueError."""
        raise NotImplementedError

    def delete(self, owner: str, collection: str, number: int) -> None:
        """Delete a record at the source; `tokens` ends every token of the owner. Raises ValueError."""
        if collection == "tokens":
            self.revoke(owner)
            return
        world, kind = self.world(owner), self.kind(collection)
        if world.get(kind, number) is None:
            raise ValueError(f"there is no {collection} {number}")
        world.remove(kind, number)

    def revoke(self, owner: str) -> None:
        """Let every token of an MSP end now. Raises ValueError for a vendor without tokens."""
        raise ValueError(f"{self.slug} gives out no tokens")

    def show(self, owner: str, collection: str, number: int | None) -> Json:
        """A record, or all of a collection, as stored. Raises ValueError."""
        world, kind = self.world(owner), self.kind(collection)
        if number is None:
            return [deepcopy(record) for record in world.all(kind)]
        return deepcopy(world.get(kind, number))

    def world(self, owner: str) -> World:
        """An MSP's records. Raises ValueError for somebody who has none here."""
        if owner not in self.owners():
            raise ValueError(f"there is no owner {owner}")
        return self._store.world(self.slug, owner)

    def kind(self, collection: str) -> str:
        """The kind of record that a collection holds. Raises ValueError for one that there is not."""
        if collection not in self.kinds:
            raise ValueError(f"there is no collection {collection}")
        return self.kinds[collection]
