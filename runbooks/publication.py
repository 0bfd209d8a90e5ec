"""What publishing a draft would mean: what forbids it, and the standing approvals it would issue (PRODUCT 4)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from approvals.models import Grant
from approvals.policy import Mode, ToolFacts, effective_policy
from approvals.services import may_decide, policy_rules
from integrations.errors import ToolRefused
from integrations.models import Connection
from integrations.toolbox import toolbox
from integrations.tools import OWN_VENDOR, AnyTool
from integrations.vendors import vendor_named
from junto.tenants.actors import Actor
from junto.tenants.models import Company, Organization
from runbooks.document import Mention, Problem, RunbookDocument, parse, undeclared_inputs
from runbooks.grants import Compilation, CompiledGrant, argument_problems, compile_grants
from runbooks.inputs import InputsRefused, check_inputs
from runbooks.models import Runbook, RunbookImage
from runbooks.rendering import named_pictures
from runbooks.suspension import suspended
from runbooks.versions import has_unpublished_changes

#: How long a grant stands before the runbook must be published again.
GRANT_LIFE = timedelta(days=365)
#: So long before they end, grants may be renewed by publishing the same text again.
RENEWAL = timedelta(days=30)


@dataclass(frozen=True)
class PlannedGrant:
    """A grant as the confirmation page lists it. `overrides` = what the tool would ask without it, empty if nothing."""

    compiled: CompiledGrant
    overrides: str

    @property
    def words(self) -> str:
        """The whole grant in plain words."""
        return f"{self.compiled.words} {self.overrides}".strip()


@dataclass(frozen=True)
class PublicationPlan:
    """With `problems` the runbook is not published. `asked` = mentions that stay under approval.

    `in_draft` are those of the problems that whoever publishes would have; the others are about the actor's own rights.
    """

    problems: tuple[Problem, ...]
    in_draft: tuple[Problem, ...]
    grants: tuple[PlannedGrant, ...]
    asked: tuple[str, ...]


def plan_publication(*, actor: Actor, runbook: Runbook) -> PublicationPlan:
    """Look at the draft as it is; changes nothing."""
    document = parse(runbook.body)
    connected = connected_vendors(runbook.organization)
    problems = list(document.problems)
    problems += _input_problems(runbook, document)
    problems += [
        problem for mention in document.mentions for problem in _tool_problems(mention, runbook.organization, connected)
    ]
    problems += _picture_problems(runbook)
    compiled = Compilation((), (), ())
    rights: list[Problem] = []
    if runbook.audience == Runbook.Audience.AI:
        compiled = compile_grants(document, lambda name: usable_tool(name, runbook.organization, connected))
        problems += compiled.problems
        rights = list(_right_problems(actor, runbook, document, compiled, connected))
    return PublicationPlan(
        problems=_in_order([*problems, *rights]),
        in_draft=_in_order(problems),
        grants=tuple(_planned(grant, runbook) for grant in compiled.grants),
        asked=compiled.asked,
    )


def _in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """By line, each once."""
    return tuple(sorted(dict.fromkeys(problems), key=lambda problem: problem.line))


def standing_problems(runbook: Runbook, plan: PublicationPlan) -> list[Problem]:
    """Why publishing would do harm or nothing, however good the draft: it is archived, or in force as it is.

    The same text is published again where that renews its approvals: they are suspended, ended, or end soon.
    """
    if runbook.status == Runbook.Status.ARCHIVED:
        return [Problem(0, "It is archived: restore one of its versions first.")]
    if runbook.status != Runbook.Status.PUBLISHED or has_unpublished_changes(runbook):
        return []
    if _approvals_stand(runbook, plan):
        return [Problem(0, f"Nothing changed since version {runbook.published_number}, which is in force.")]
    return []


def _approvals_stand(runbook: Runbook, plan: PublicationPlan) -> bool:
    """Whether the version in force has all the approvals that publishing it again would issue, for a while yet."""
    standing = Grant.objects.for_organization(runbook.organization).filter(
        kind=Grant.Kind.RUNBOOK, runbook=f"{runbook.pk}:{runbook.published_number}", revoked_at=None
    )
    ends = dict.fromkeys(standing.values_list("expires_at", flat=True))
    if any(end is not None and end <= timezone.now() + RENEWAL for end in ends):
        return False
    there, planned = (
        Counter(standing.values_list("tool", flat=True)),
        Counter(g.compiled.tool.name for g in plan.grants),
    )
    return there == planned and not suspended([runbook])


def connected_vendors(organization: Organization) -> frozenset[str]:
    """Slugs of the systems this organization has connected."""
    return frozenset(Connection.objects.for_organization(organization).values_list("vendor", flat=True))


def usable_tool(name: str, organization: Organization, connected: frozenset[str]) -> AnyTool | None:
    """The tool of exactly this name, when its system is connected."""
    try:
        tool = toolbox(organization).get(name)
    except ToolRefused:
        return None
    return tool if tool.vendor == OWN_VENDOR or tool.vendor in connected else None


def _input_problems(runbook: Runbook, document: RunbookDocument) -> list[Problem]:
    try:
        declared = check_inputs(runbook.inputs)
    except InputsRefused as error:
        return [Problem(0, str(error))]
    return list(undeclared_inputs(document, {each.name for each in declared}))


def _tool_problems(mention: Mention, organization: Organization, connected: frozenset[str]) -> Iterator[Problem]:
    tool = usable_tool(mention.tool, organization, connected)
    if tool is not None:
        yield from argument_problems(mention, tool)
        return
    vendor = vendor_named(mention.tool.partition(".")[0])
    if vendor is not None and vendor.slug not in connected:
        yield Problem(mention.line, f"@{mention.tool} needs {vendor.label}, which is not connected.")
    else:
        yield Problem(mention.line, f"There is no tool called @{mention.tool}.")


def _picture_problems(runbook: Runbook) -> Iterator[Problem]:
    named = named_pictures(runbook.body)
    rows = RunbookImage.objects.for_organization(runbook.organization)
    there = (
        set(rows.filter(pk__in=[each.id for each in named if each.id]).values_list("pk", flat=True)) if named else ()
    )
    for each in named:
        if each.id not in there:
            yield Problem(each.line, "There is no such picture here: add it anew with Picture…, or remove it.")


def _right_problems(
    actor: Actor, runbook: Runbook, document: RunbookDocument, compiled: Compilation, connected: frozenset[str]
) -> Iterator[Problem]:
    """Publishing is a standing approval, so the publisher must be able to decide each tool wherever it would run."""
    where: Company | Organization = runbook.company or runbook.organization
    reach = runbook.company.name if runbook.company else "all companies"
    lines = {mention.tool: mention.line for mention in reversed(document.mentions)}
    granted = {grant.tool.name for grant in compiled.grants}
    lines |= {grant.tool.name: grant.line for grant in compiled.grants if grant.tool.name not in lines}
    for name, line in lines.items():
        tool = usable_tool(name, runbook.organization, connected)
        if tool is not None and not may_decide(actor, risk=tool.risk, flags=tool.flags, company=where):
            yield Problem(
                line,
                f"You may not decide @{name} ({tool.risk} risk) for {reach}, so you cannot publish a runbook that "
                f"{'lets it run unattended' if name in granted else 'asks for it'}.",
            )


def _planned(grant: CompiledGrant, runbook: Runbook) -> PlannedGrant:
    rules = policy_rules(organization=runbook.organization, tool=grant.tool.name)
    company = str(runbook.company_id) if runbook.company_id else None
    policy = effective_policy(ToolFacts.of(grant.tool), company, rules)
    overrides = {
        Mode.ALWAYS: "Without this runbook it is always asked.",
        Mode.DISABLED: "It is switched off here and stays so.",
    }.get(policy.mode, "")
    if not policy.unattended:
        overrides = "It never runs unattended here, so it will still be asked."
    return PlannedGrant(grant, overrides)
