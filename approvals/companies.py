"""For which company an action of ours was, by the reference in its mark."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from functools import reduce
from operator import or_
from typing import Final

from django.db.models import Q

from approvals.models import Action
from integrations.marks import REFERENCE_LENGTH, reference_of
from junto.tenants.models import Company

#: References that one query asks for; databases bound how deep a condition goes.
_AT_ONCE: Final = 100


def not_for(company: Company, references: Collection[str]) -> frozenset[str]:
    """Those of the references whose action was for another company, or is not known here: nobody can tell for whom."""
    ours: set[str] = set()
    rows = Action.objects.for_organization(company.organization).filter(company=company)
    wanted = sorted(references)
    for start in range(0, len(wanted), _AT_ONCE):
        asked = reduce(or_, map(_of_reference, wanted[start : start + _AT_ONCE]))
        ours |= {reference_of(pk) for pk in rows.filter(asked).values_list("pk", flat=True)}
    return frozenset(references) - ours


def _of_reference(reference: str) -> Q:
    rest = 32 - REFERENCE_LENGTH
    return Q(pk__range=(uuid.UUID(reference + "0" * rest), uuid.UUID(reference + "f" * rest)))
