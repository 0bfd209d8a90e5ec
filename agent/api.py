"""REST for other systems: sessions read and started, actions proposed (`/api/v1/<organization>/...`).

A token decides nothing: what it proposes, or a session that it started, waits for people wherever a person's would.
"""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

import django_filters
from django.http import Http404
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import generics, status
from rest_framework.exceptions import APIException, ParseError, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from agent.events import ModelReplied
from agent.journal import actions_of, read_events
from agent.models import AgentSession
from agent.proposing import KeyReused, ProposalRefused, propose_by_token
from agent.querysets import SessionQuerySet
from agent.serializers_api import (
    ActionOutput,
    ProposalInput,
    SessionDetailOutput,
    SessionInput,
    SessionOutput,
)
from agent.services import SessionRefused, live_session, open_session
from approvals.models import Action
from junto.team.idempotency import idempotent
from signals.intake.cleaning import TicketRefused, clean_json
from signals.models import Signal
from signals.rest.api import SignalPages
from signals.rest.endpoints import KEY, SignalView
from signals.rest.filters import AnyCaseFilter, MomentFilter
from signals.rest.foreign import ForeignInput
from signals.rest.parsing import BoundedJSONParser
from signals.rest.serializers import first_problem
from signals.services import SignalNotClaimable

NO_SESSION = OpenApiResponse(description="There is no such session here.")
NO_SIGNAL = OpenApiResponse(description="There is no such signal here.")


class Conflict(APIException):
    """It cannot be done as things stand."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "conflict"


class Reused(APIException):
    """A key that belongs to something else."""

    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY
    default_code = "key_reused"


class SessionFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Narrow the list down; several filters are joined by and. A value that cannot be is a 400."""

    state = AnyCaseFilter(choices=AgentSession.State.choices)
    signal = django_filters.UUIDFilter(field_name="signal_id", label="Of one signal")
    company = django_filters.UUIDFilter(field_name="company_id", label="Our id of the company")
    changed_after = MomentFilter(field_name="changed_at", lookup_expr="gte")

    class Meta:
        model = AgentSession
        fields: ClassVar[list[str]] = []


class SessionListView(SignalView, generics.ListAPIView[AgentSession]):
    """Find sessions, and start one."""

    parser_classes = (BoundedJSONParser,)
    scopes: ClassVar[dict[str, str]] = {"GET": "sessions:read", "POST": "sessions:start"}
    serializer_class = SessionOutput
    pagination_class = SignalPages
    filterset_class = SessionFilter
    queryset = AgentSession.unscoped.none()

    @property
    def parameters(self) -> frozenset[str]:  # type: ignore[override]
        """Those of the list; a start has none."""
        listed = frozenset({*SessionFilter.base_filters, "page", "page_size"})
        return listed if self.request.method in ("GET", "HEAD") else frozenset()

    @extend_schema(
        operation_id="sessions_list",
        summary="Find sessions",
        description="The newest first. Needs the scope `sessions:read`.",
    )
    def get(self, request: Request, *args: object, **kwargs: object) -> Response:
        """Find sessions."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="sessions_start",
        summary="Start a session",
        description=(
            "Lets the agent begin on a signal. Where a session is going on already, that one is the answer (200) and "
            "stays as it is. Needs the scope `sessions:start`."
        ),
        parameters=[KEY],
        request=SessionInput,
        responses={
            200: SessionOutput,
            201: SessionOutput,
            404: NO_SIGNAL,
            409: OpenApiResponse(description="Nobody can begin there now; `detail` says why."),
        },
    )
    @idempotent
    def post(self, request: Request, organization: str) -> Response:
        """Start a session."""
        asked = _read(SessionInput, request)
        signal = _signal(self, asked["signal"])
        known = live_session(signal)
        if known is not None:
            return self._told(known, status.HTTP_200_OK)
        try:
            opened = open_session(signal=signal, actor=self.actor, mode=asked["mode"])
        except (SessionRefused, SignalNotClaimable) as refusal:
            raise Conflict(str(refusal)) from refusal
        return self._told(opened, status.HTTP_201_CREATED)

    def _told(self, session: AgentSession, code: int) -> Response:
        return Response(SessionOutput(_sessions(self).get(pk=session.pk)).data, status=code)

    def get_queryset(self) -> SessionQuerySet:
        """The sessions the token may see, newest first."""
        if getattr(self, "swagger_fake_view", False):
            return SessionQuerySet(AgentSession).none()
        return _sessions(self).order_by("-created_at", "id")


class SessionDetailView(SignalView):
    """Read one session."""

    scopes: ClassVar[dict[str, str]] = {"GET": "sessions:read"}

    @extend_schema(
        operation_id="sessions_retrieve",
        summary="Read one session",
        description="With its actions and the agent's last words. Needs the scope `sessions:read`.",
        responses={200: SessionDetailOutput, 404: NO_SESSION},
    )
    def get(self, request: Request, organization: str, session: UUID) -> Response:
        """Read one session."""
        found = _sessions(self).filter(pk=session).first()
        if found is None:
            raise Http404("There is no such session here.")
        said = [event.text for _, event in read_events(found) if isinstance(event, ModelReplied) and event.text]
        told = SessionOutput(found).data
        actions = ActionOutput(actions_of(found), many=True).data
        return Response({**told, "last_words": said[-1] if said else "", "actions": actions})


class ActionProposalView(SignalView):
    """Propose an action."""

    parser_classes = (BoundedJSONParser,)
    scopes: ClassVar[dict[str, str]] = {"POST": "actions:propose"}

    @extend_schema(
        operation_id="actions_propose",
        summary="Propose an action",
        description=(
            "Asks for one call of a tool on one signal. It runs at once only where its policy is auto; else it waits "
            "for a person, or is refused by rule: `state` says which. Needs the scope `actions:propose`."
        ),
        request=ProposalInput,
        responses={
            200: ActionOutput,
            404: NO_SIGNAL,
            409: OpenApiResponse(description="Nothing can be proposed there now; `detail` says why."),
            422: OpenApiResponse(description="The key came with another call before."),
        },
    )
    def post(self, request: Request, organization: str) -> Response:
        """Propose an action."""
        asked = _read(ProposalInput, request)
        try:
            action = propose_by_token(
                actor=self.actor,
                signal=_signal(self, asked["signal"]),
                key=asked["key"],
                tool=asked["tool"],
                arguments=asked["arguments"],
            )
        except ProposalRefused as refusal:
            raise Conflict(str(refusal)) from refusal
        except KeyReused as reused:
            raise Reused(str(reused)) from reused
        return Response(ActionOutput(action).data)


class ActionDetailView(SignalView):
    """Read one action."""

    scopes: ClassVar[dict[str, str]] = {"GET": "sessions:read"}

    @extend_schema(
        operation_id="actions_retrieve",
        summary="Read one action",
        description="What became of it. Needs the scope `sessions:read`.",
        responses={200: ActionOutput, 404: OpenApiResponse(description="There is no such action here.")},
    )
    def get(self, request: Request, organization: str, action: UUID) -> Response:
        """Read one action."""
        found = Action.objects.visible_to(self.actor).filter(pk=action).first()
        if found is None:
            raise Http404("There is no such action here.")
        return Response(ActionOutput(found).data)


def _read(shape: type[ForeignInput], request: Request) -> dict[str, Any]:
    """The validated body. Raises ParseError, in words that name the field."""
    try:
        fields: dict[str, Any] = shape().run_validation(clean_json(request.data))
    except TicketRefused as refusal:
        raise ParseError(str(refusal)) from refusal
    except ValidationError as error:
        raise ParseError(first_problem(error.detail)) from error
    return fields


def _signal(view: SignalView, signal_id: UUID) -> Signal:
    """The signal that a body names. Raises Http404."""
    rows = Signal.objects.reached_by(view.actor)
    found: Signal | None = (
        rows.select_related("organization", "company", "board", "contact", "device", "connection")
        .filter(pk=signal_id)
        .first()
    )
    if found is None:
        raise Http404("There is no such signal here.")
    return found


def _sessions(view: SignalView) -> SessionQuerySet:
    rows: SessionQuerySet = AgentSession.objects.reached_by(view.actor)
    return rows.select_related("company", "origin", "runbook", "started_by__user", "signal", "organization")
