"""Standing words to the agent: set by Admins, for every company or for one; each step of a session reads them anew."""

from __future__ import annotations

from django.db import transaction

from agent.models import Instruction
from junto.audit.services import record
from junto.tenants.actors import Actor
from junto.tenants.models import Company
from junto.tenants.permissions import Permission, require

#: Characters of one instruction; it stands in the prompt of every step, and a procedure belongs into a runbook.
INSTRUCTION_LIMIT = 4_000


@transaction.atomic
def set_instruction(*, actor: Actor, text: str, company: Company | None = None) -> Instruction:
    """Say `text` to the agent at `company`, or at every company (None). In force at each session's next step.

    Raises:
        PermissionDenied: `actor` may not change how the model is told to work, or cannot see the company.
    """
    require(actor, Permission.MANAGE_MODEL)
    if company is not None:
        require(actor, Permission.VIEW_WORK, company)
    rows = Instruction.objects.for_organization(actor.organization).select_for_update()
    former = rows.filter(company=company).first()
    instruction = former or Instruction(organization=actor.organization, company=company)
    before = former.text if former else None
    instruction.text = text
    instruction.save()
    record(actor, "instruction.set", instruction, {"company": _name(company), "text": text, "before": before})
    return instruction


@transaction.atomic
def remove_instruction(*, actor: Actor, instruction: Instruction) -> None:
    """Say it no longer.

    Raises:
        PermissionDenied: `actor` may not change how the model is told to work.
        Instruction.DoesNotExist: it is not of the actor's organization, or gone.
    """
    require(actor, Permission.MANAGE_MODEL)
    rows = Instruction.objects.for_organization(actor.organization).select_for_update(of=("self",))
    found = rows.select_related("company").get(pk=instruction.pk)
    record(actor, "instruction.removed", found, {"company": _name(found.company), "before": found.text})
    found.delete()


def _name(company: Company | None) -> str:
    return company.name if company else ""
