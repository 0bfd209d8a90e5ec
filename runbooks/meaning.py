"""Vectors of published versions: made once from the text, stored, and read by every process."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping
from itertools import islice
from time import monotonic
from typing import Final

import numpy

from junto.retrieval.documents import Document
from junto.retrieval.encoder import DIMENSIONS, Encoder, Vectors, is_installed, load_encoder
from junto.retrieval.semantic import passages
from junto.tenants.models import Organization
from runbooks.models import Runbook, RunbookVectors

#: Records asked for in one go.
PIECE: Final = 500
#: Versions encoded before looking again whether another process was faster.
TOGETHER: Final = 8
#: Seconds after which others get their turn on this thread.
TURN_SECONDS: Final = 20.0
_STORED: Final = numpy.dtype("<f2")


def published_texts(organization: Organization, records: Collection[int]) -> dict[int, Document]:
    """What is ranked of each of these history records."""
    found = {}
    for piece in pieces(sorted(records)):
        rows = Runbook.history.model.objects.filter(organization=organization, history_id__in=piece)
        for row in rows.values("history_id", "title", "description", "tags", "body"):
            tags = [tag for tag in row["tags"] if isinstance(tag, str)] if isinstance(row["tags"], list) else []
            text = "\n".join(filter(None, [row["description"], row["body"]]))
            found[row["history_id"]] = Document(row["title"], text, keywords=". ".join(tags))
    return found


def stored_vectors(organization: Organization, records: Collection[int], *, encoder: str) -> dict[int, Vectors]:
    """The vectors that are there already, by record."""
    found = {}
    for piece in pieces(sorted(records)):
        rows = RunbookVectors.objects.for_organization(organization).filter(record__in=piece, encoder=encoder)
        for record, packed in rows.values_list("record", "vectors"):
            stored = numpy.frombuffer(bytes(packed), _STORED).astype(numpy.float32)
            found[record] = stored.reshape(-1, DIMENSIONS)
    return found


def encode_and_store(
    organization: Organization, documents: Mapping[int, Document], *, encoder: Encoder
) -> dict[int, Vectors]:
    """Make and store the vectors of these texts, by record; each takes about 0.2 s. What is stored already stays."""
    found = {}
    for record, document in documents.items():
        vectors = encoder.encode(passages(document)).astype(_STORED)
        row = RunbookVectors(organization=organization, record=record, encoder=encoder.name, vectors=vectors.tobytes())
        RunbookVectors.objects.for_organization(organization).bulk_create([row], ignore_conflicts=True)
        found[record] = vectors.astype(numpy.float32)
    return found


def encode_missing(organization: Organization) -> bool:
    """Make vectors that versions in force lack, for TURN_SECONDS; whether some are left. Nothing without the extra."""
    if not is_installed():
        return False
    encoder = load_encoder()
    rows = Runbook.objects.for_organization(organization).filter(status=Runbook.Status.PUBLISHED)
    records = frozenset(rows.values_list("published_record", flat=True))
    missing = list(records - frozenset(stored_vectors(organization, records, encoder=encoder.name)))
    random.shuffle(missing)  # so that two processes at it seldom do the same
    ends = monotonic() + TURN_SECONDS
    for start in range(0, len(missing), TOGETHER):
        if monotonic() > ends:
            return True
        piece = frozenset(missing[start : start + TOGETHER])
        piece -= frozenset(stored_vectors(organization, piece, encoder=encoder.name))
        encode_and_store(organization, published_texts(organization, piece), encoder=encoder)
    return False


def pieces(records: list[int]) -> list[list[int]]:
    """Short enough lists for one question to the database."""
    rest = iter(records)
    return list(iter(lambda: list(islice(rest, PIECE)), []))
