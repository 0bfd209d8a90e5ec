"""Which processors run on a ticket, in which order and with which options: defaults, organization, company."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

from pydantic import JsonValue, ValidationError

from junto.tenants.models import Company, Organization
from signals.models import ProcessorSetting
from signals.processors import PROCESSORS
from signals.processors.base import AnyProcessor, Options, Phase

_PHASES = list(Phase)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One processor as it is to run. `boards` empty = all boards, and tickets without one."""

    processor: AnyProcessor
    enabled: bool
    options: Options
    boards: frozenset[uuid.UUID]
    position: int

    def applies(self, board_id: uuid.UUID | None) -> bool:
        """Whether it reads tickets of that board."""
        return self.enabled and (not self.boards or board_id in self.boards)


def plans(organization: Organization, company: Company | None = None) -> list[Plan]:
    """Every processor there is, in the order of phases and positions, as `company` has it (None: the organization)."""
    return plans_by_company(organization)(company.pk if company else None)


def plans_by_company(organization: Organization) -> Callable[[uuid.UUID | None], list[Plan]]:
    """The same for whichever company is asked for, by its id; all settings are read now, in two queries."""
    rows = ProcessorSetting.objects.for_organization(organization).prefetch_related("boards")
    by_place = {(row.processor, row.company_id): row for row in rows}

    @cache
    def planned(company_id: uuid.UUID | None) -> list[Plan]:
        found = [_plan(processor, place, by_place, company_id) for place, processor in enumerate(PROCESSORS)]
        return sorted(found, key=lambda plan: (_PHASES.index(plan.processor.phase), plan.position))

    return planned


def _plan(
    processor: AnyProcessor,
    place: int,
    by_place: Mapping[tuple[str, uuid.UUID | None], ProcessorSetting],
    company_id: uuid.UUID | None,
) -> Plan:
    general = by_place.get((processor.slug, None))
    special = by_place.get((processor.slug, company_id)) if company_id else None
    enabled = [row.enabled for row in (special, general) if row is not None and row.enabled is not None]
    return Plan(
        processor=processor,
        enabled=next(iter(enabled), processor.on_by_default),
        options=read_options(
            processor, {**(general.options if general else {}), **(special.options if special else {})}
        ),
        boards=frozenset(board.pk for board in general.boards.all()) if general else frozenset(),
        position=general.position if general and general.position is not None else place,
    )


def plan_of(organization: Organization, processor: AnyProcessor, company: Company | None = None) -> Plan:
    """The plan of one processor, as `company` has it (None: the organization)."""
    return next(plan for plan in plans(organization, company) if plan.processor is processor)


def read_options(processor: AnyProcessor, stored: Mapping[str, JsonValue]) -> Options:
    """The stored options over the defaults; what fits no more (an older version's) gives way to its default."""
    try:
        read: Options = processor.options_type.model_validate(stored)
    except ValidationError as problems:
        wrong = {str(problem["loc"][0]) for problem in problems.errors() if problem["loc"]}
        read = processor.options_type.model_validate({k: v for k, v in stored.items() if k not in wrong})
    return read
