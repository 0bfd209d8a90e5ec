"""How often a language model may be asked for a processor within a day, and whose questions count against that.

The organization's number counts the questions about all tickets but those of companies that have a number of their own;
such a company's counts those about its own tickets alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.utils import timezone

from integrations.services import model_info
from junto.tenants.models import Company, Organization
from junto.tenants.scoping import TenantQuerySet
from signals.models import ModelQuestion, ProcessorSetting
from signals.processing.plans import plans_by_company
from signals.processors.base import AnyProcessor, ModelOptions

_DAY: Final = timedelta(days=1)
_OPTION: Final = "model_daily"
#: Companies by the slug of the processor for which they have a number of their own.
Own = Mapping[str, frozenset[UUID]]


@dataclass(frozen=True)
class LimitMet:
    """The language model was asked `daily` times, the most that is set, and is not asked again before `until`.

    `company` = whose own number that is; empty where it is the organization's.
    """

    daily: int
    until: datetime
    company: str = ""


def own_limits(organization: Organization) -> Own:
    """Companies that have a number of their own."""
    found: dict[str, set[UUID]] = defaultdict(set)
    rows = ProcessorSetting.objects.for_organization(organization).filter(options__has_key=_OPTION)
    for slug, company_id in rows.exclude(company=None).values_list("processor", "company_id"):
        found[slug].add(company_id)
    return {slug: frozenset(companies) for slug, companies in found.items()}


def asked_today(
    organization: Organization, slug: str, company_id: UUID | None, own: Own
) -> TenantQuerySet[ModelQuestion]:
    """The questions for that processor within a day that count as those about a ticket of `company_id` do."""
    asked = ModelQuestion.objects.for_organization(organization).filter(
        processor=slug, created_at__gt=timezone.now() - _DAY
    )
    apart = own.get(slug, frozenset())
    return asked.filter(signal__company=company_id) if company_id in apart else asked.exclude(signal__company__in=apart)


def limits_met(organization: Organization, processor: AnyProcessor, company: Company | None = None) -> list[LimitMet]:
    """Those that hold a processor back now that would ask: the one that counts for `company`, else all there are."""
    if model_info(organization).rehearsal:
        return []
    own, planned = own_limits(organization), plans_by_company(organization)
    apart = own.get(processor.slug, frozenset())
    places = apart | {None} if company is None else {company.pk if company.pk in apart else None}
    names: dict[UUID | None, str] = dict(
        Company.objects.for_organization(organization).filter(pk__in=apart).values_list("pk", "name")
    )
    found = []
    for place in sorted(places, key=lambda place: names.get(place, "")):
        plan = next(plan for plan in planned(place) if plan.processor is processor)
        options = plan.options
        if (
            not plan.enabled
            or not isinstance(options, ModelOptions)
            or not options.ask_model
            or not options.model_daily
        ):
            continue
        asked = asked_today(organization, processor.slug, place, own).order_by("-created_at")
        last = asked.values_list("created_at", flat=True)[options.model_daily - 1 : options.model_daily].first()
        if last is not None:
            found.append(LimitMet(options.model_daily, last + _DAY, names.get(place, "")))
    return found
