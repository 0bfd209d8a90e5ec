"""When the language model gives no answer: what people read, and when the agent asks again.

A session that a person waits for rests until one says so. One that nobody waits for is asked again by the clock, with
growing waits, so that an outage at night leaves nothing behind for the morning; after the last wait it rests too.
While nobody at all is answered, one such session at a time finds out whether the model is back.
"""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from agent.attention import is_attended
from agent.context import SessionContext
from agent.events import PersonDirected
from agent.journal import append_event
from agent.lease import Lease
from agent.models import AgentSession
from agent.running import park
from agent.services import SessionRefused
from approvals.models import Origin
from integrations.llm.chat import ModelError, ModelNonsense, ModelOverBudget, ModelRefused, ModelUnavailable
from integrations.models import ModelUsage
from junto.bells import ring
from junto.tenants.actors import Actor
from junto.tenants.models import Organization
from junto.tenants.permissions import Permission, require

#: Seconds from the first, second, ... question in vain to the next one of the clock; after the last it asks no more.
ASK_AGAIN_AFTER = (60, 120, 300, 900, 3_600, 14_400)
#: So many questions in a row without an answer, whoever asked them, are an outage and not one conversation's trouble.
IN_VAIN = 3


class AnswerBrokeOff(ModelError):
    """The model began to answer and broke off, more often than is tried at once."""


_WORDS: dict[type[ModelError], str] = {
    ModelUnavailable: "The language model does not answer at present.",
    ModelRefused: "The language model does not take our requests: something in its set-up is wrong.",
    ModelNonsense: "The language model gave an answer that nobody can use.",
    AnswerBrokeOff: "The language model's answer broke off twice.",
}
_TOO_LONG = (
    "This conversation has become longer than the language model can read, though older results were left out already. "
    "Nothing is lost. Close this session and start a new one, which begins with the ticket alone."
)


def park_unanswered(context: SessionContext, lease: Lease, problem: ModelError) -> None:
    """Let the session rest because the model gave no answer, unless a person asked for another try meanwhile.

    `problem` in its own words is for those who keep the model running.
    """
    session, progress = context.session, context.read_again().progress
    if progress.person_spoke_after(context.progress.last_number):
        return
    if isinstance(problem, ModelOverBudget):  # asked again it would say the same
        park(session, lease, _TOO_LONG, cause=str(problem))
        return
    times = session.origin.asked_in_vain + 1
    wait = 0 if is_attended(session) else next(iter(ASK_AGAIN_AFTER[times - 1 :]), 0)
    park(session, lease, _outage_words(problem, wait=wait), cause=str(problem), asked_in_vain=times)


def is_silent(session: AgentSession) -> bool:
    """Whether the session rests for no other reason than that the model gave no answer."""
    return session.state == AgentSession.State.WAITING_FOR_TECHNICIAN and session.origin.asked_in_vain > 0


def no_answers(organization: Organization) -> bool:
    """Whether nobody in the organization was answered of late, people neither: the model is away."""
    newest = _questions(organization).values_list("tokens_in", "tokens_out")[:IN_VAIN]
    return len(newest) == IN_VAIN and not any(map(any, newest))


def may_probe(organization: Organization) -> bool:
    """Whether a model that is away may be asked once more by now: somebody's last question is long enough ago."""
    newest = _questions(organization).first()
    return newest is None or newest.created_at <= timezone.now() - timedelta(seconds=ASK_AGAIN_AFTER[0])


def _questions(organization: Organization) -> QuerySet[ModelUsage]:
    """Questions to the model that came to an end, the newest first; one in vain has taken no tokens."""
    rows: QuerySet[ModelUsage] = ModelUsage.objects.for_organization(organization)
    return rows.filter(reserved=False).order_by("-created_at")


@transaction.atomic
def try_again(*, session: AgentSession, actor: Actor) -> None:
    """A person has the model asked again that gave no answer.

    Raises:
        SessionRefused: that is not what the session rests for, or not any more.
    """
    require(actor, Permission.RUN_SESSIONS, session.company)
    if actor.membership is None:
        raise SessionRefused("Only people speak in a session.")
    Origin.objects.for_organization(session.organization).select_for_update().get(pk=session.origin_id)
    session.refresh_from_db()
    if not is_silent(session):
        raise SessionRefused("The agent is at it again already, or waits for something else by now.")
    told = PersonDirected(
        membership_id=actor.membership.pk,
        name=actor.label,
        role=actor.membership.get_role_display(),
        deed="try_again",
        text=f"{actor.label} let the agent try again.",
        goes_on=True,
    )
    append_event(session, told)
    ring("session.ready", str(session.pk))


def _outage_words(problem: ModelError, *, wait: int) -> str:
    """What everybody reads; `wait` = seconds until the clock asks again, 0 where it does not."""
    what = _WORDS.get(type(problem), "The language model gave no answer.")
    if wait:
        then = f"The agent tries again by itself in {_span(wait)} or soon after; Try again does so at once."
        return f"{what} Nothing is lost. {then}"
    if isinstance(problem, ModelRefused):
        then = "Tell your administrator; when it is mended, press Try again or write a message."
    else:
        then = "Press Try again or write a message; if it stays like this, tell your administrator."
    return f"{what} Nothing is lost. {then}"


def _span(seconds: int) -> str:
    count, unit = (seconds // 3_600, "hour") if seconds >= 3_600 else (seconds // 60, "minute")
    return f"{count} {unit}{'' if count == 1 else 's'}"
