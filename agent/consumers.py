"""The socket of one signal's page: reads events by number, obeys typed frames, shows who else is here (I13, I19)."""

from __future__ import annotations

import json
from urllib.parse import parse_qs
from uuid import UUID

from pydantic import ValidationError

from agent.answers import FrameRefused, Message, answer
from agent.frames import Decide, Frame, PassOn, Ping, PreviewChange, Settle, Typing, read_frame, refusal_words
from agent.journal import read_events
from agent.models import AgentSession
from agent.rendering import SessionLook, card_html, render_events, session_look
from agent.stream import session_group
from approvals.budgets import MAX_STEPS
from approvals.models import Action
from integrations.llm.strict import JsonRefused, strict_json
from junto.engine import push
from junto.tenants.access import NOT_HERE, MembershipConsumer
from junto.tenants.actors import Actor
from signals.models import Signal

#: Events sent at once at most; a reader far behind gets the rest in the next rounds.
BATCH = 100


class SessionConsumer(MembershipConsumer):
    """One browser on one signal's page."""

    signal_id: UUID
    session_id: UUID | None = None
    sent: int = 0

    async def opened(self, actor: Actor) -> None:
        """Greet, catch up from the number the browser names, and tell the others."""
        self.signal_id = self.scope["url_route"]["kwargs"]["signal"]
        self.present: dict[str, dict[str, str]] = {}
        if await self.database(self._signal, actor) is None:
            await self.close(NOT_HERE)
            return
        self.sent = self._after()
        await self.channel_layer.group_add(session_group(self.signal_id), self.channel_name)
        await self._catch_up(hello=True)
        await self._tell("presence.joined")

    async def closed(self) -> None:
        """Tell the others and leave."""
        await self._tell("presence.left")
        await self.channel_layer.group_discard(session_group(self.signal_id), self.channel_name)

    async def receive_text(self, actor: Actor, text: str) -> None:
        """One frame: obeyed and acknowledged, or answered by an error that says why. Nothing is lost either way."""
        frame_id = ""
        try:
            value = _json(text)
            frame_id = _id_of(value)
            frame = _frame(value)
            if isinstance(frame, Typing):
                await self._tell("person.typing")
                return
            await self.reply(await self.database(self._answer, actor, frame))
            if not isinstance(frame, Ping | PreviewChange):
                await self._catch_up()  # whoever acted sees it at once, whatever the bells do
        except FrameRefused as refusal:
            await self.reply(refusal.as_frame(frame_id))

    async def reply(self, message: Message) -> None:
        """Send one frame to this browser."""
        await self.send(text_data=json.dumps(message, ensure_ascii=False, default=str))

    # ------------------------------------------------------------- pushed messages

    async def session_events(self, message: Message) -> None:
        """There are new events, or the session's state moved."""
        await self._catch_up()

    async def action_shown(self, message: Message) -> None:
        """A request is shown otherwise now; its card is drawn anew for this reader."""
        frame = await self.database(self._card, self.actor, UUID(message["action"]))
        if frame is not None:
            await self.reply(frame)

    async def signal_changed(self, message: Message) -> None:
        """The ticket itself changed; the page reads its left side again, unless it is for others to see now."""
        if await self.database(self._signal, self.actor) is None:
            await self.close(NOT_HERE)
            return
        await self.reply({"type": "ticket"})

    async def stream_delta(self, message: Message) -> None:
        """Text the model is writing, for whoever is shown its session."""
        if not await self._shows(message["session"]):
            return
        await self.reply({"type": "delta", **{key: message[key] for key in ("session", "run", "text")}})

    async def stream_end(self, message: Message) -> None:
        """The model stopped writing; the event with the whole text follows."""
        if await self._shows(message["session"]):
            await self.reply({"type": "delta_end", "run": message["run"]})

    async def person_typing(self, message: Message) -> None:
        """Somebody else is typing."""
        if message["channel"] != self.channel_name:
            await self.reply({"type": "typing", "name": message["person"]["name"]})

    async def presence_joined(self, message: Message) -> None:
        """Somebody came: note them and say that we are here too."""
        await self.presence_here(message)
        if message["channel"] != self.channel_name:
            await self._tell("presence.here")

    async def presence_here(self, message: Message) -> None:
        """Somebody is here."""
        if self.present.get(message["channel"]) != message["person"]:
            self.present[message["channel"]] = message["person"]
            await self.reply({"type": "presence", "present": self._people()})

    async def presence_left(self, message: Message) -> None:
        """Somebody went."""
        if self.present.pop(message["channel"], None) is not None:
            await self.reply({"type": "presence", "present": self._people()})

    # ------------------------------------------------------------------- inside

    async def _shows(self, session: str) -> bool:
        """Whether this page shows that session; one that just began is looked up."""
        if session != str(self.session_id):
            await self._catch_up()
        return session == str(self.session_id)

    async def _catch_up(self, *, hello: bool = False) -> None:
        while True:
            told = await self.database(self._new_frames, self.actor, hello)
            if told is None:
                await self.close(NOT_HERE)
                return
            frames, more = told
            for frame in frames:
                await self.reply(frame)
            if not more:
                return
            hello = False

    def _new_frames(self, actor: Actor, hello: bool) -> tuple[list[Message], bool] | None:
        """The frames this browser has not had yet, and whether there are still more.

        None: the signal is not theirs to see any more. It may have moved to a company that they do not reach.
        """
        signal = self._signal(actor)
        if signal is None:
            self.session_id = None
            return None
        session = latest_session(signal, actor=actor)
        frames: list[Message] = []
        if session is not None and session.pk != self.session_id:
            if self.session_id is not None or self.sent > session.last_number:
                self.sent = 0
                frames.append({"type": "reset", "session": str(session.pk)})
            self.session_id = session.pk
        look = session_look(session) if session else None
        if hello:
            frames.insert(0, self._hello(actor, look, session))
        if session is None:
            return frames, False
        events = read_events(session, after=self.sent)[:BATCH]
        rendered = {each.number: each for each in render_events(session, events, actor=actor)}
        for row, _ in events:
            shown = rendered.get(row.number)
            frames.append(
                {
                    "type": "event",
                    "session": str(session.pk),
                    "number": row.number,
                    "kind": row.kind,
                    "at": row.created_at.isoformat(),
                    "html": shown.html if shown else "",
                    "action": str(row.action_id) if row.action_id else None,
                }
            )
            self.sent = row.number
        if hello:
            frames.extend(self._waiting_cards(actor, session, told={row.action_id for row, _ in events}))
        frames.append({"type": "state", "session": str(session.pk), **_state(look)})
        return frames, self.sent < session.last_number

    def _waiting_cards(self, actor: Actor, session: AgentSession, *, told: set[UUID | None]) -> list[Message]:
        """What waits and is shown already: it may be shown otherwise since this browser was last told."""
        waiting = Action.objects.visible_to(actor).filter(origin_id=session.origin_id, state=Action.State.WAITING)
        return [_card_frame(pk, actor) for pk in waiting.values_list("pk", flat=True) if pk not in told]

    def _card(self, actor: Actor, action_id: UUID) -> Message | None:
        there = Action.objects.visible_to(actor).filter(pk=action_id).exists()
        return _card_frame(action_id, actor) if there else None

    def _hello(self, actor: Actor, look: SessionLook | None, session: AgentSession | None) -> Message:
        return {
            "type": "hello",
            "session": str(session.pk) if session else None,
            "last": session.last_number if session else 0,
            "you": _person(actor),
            "present": self._people(),
            **_state(look),
        }

    def _answer(self, actor: Actor, frame: Frame) -> Message:
        signal = self._signal(actor)
        if signal is None:
            raise FrameRefused("not_found", "This signal is not here, or not for you to see.")
        message = answer(frame, actor=actor, signal=signal)
        if isinstance(frame, Decide | PassOn | Settle):
            message["html"] = card_html(frame.action, actor=actor)
        return message

    def _signal(self, actor: Actor) -> Signal | None:
        rows = Signal.objects.visible_to(actor).select_related("organization", "company", "board")
        found: Signal | None = rows.filter(pk=self.signal_id).first()
        return found

    def _after(self) -> int:
        text = parse_qs(self.scope["query_string"].decode("latin-1")).get("after", ["0"])[0]
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0

    async def _tell(self, kind: str) -> None:
        message = {"type": kind, "channel": self.channel_name, "person": _person(self.actor)}
        await self.database(push, session_group(self.signal_id), message)

    def _people(self) -> list[dict[str, str]]:
        return list({person["name"]: person for person in self.present.values()}.values())


def latest_session(signal: Signal, *, actor: Actor) -> AgentSession | None:
    """The session the page shows: the newest of the signal that `actor` may see.

    Whose it is stands on the session: one from before the ticket moved stays with its former company.
    """
    rows = AgentSession.objects.visible_to(actor).filter(signal=signal)
    found: AgentSession | None = (
        rows.select_related("organization", "company", "origin", "signal").order_by("-created_at").first()
    )
    return found


def _card_frame(action_id: UUID, actor: Actor) -> Message:
    return {"type": "card", "action": str(action_id), "html": card_html(action_id, actor=actor)}


def _json(text: str) -> object:
    try:
        return strict_json(text)
    except JsonRefused as problem:
        words = f"The page sent something that cannot be read ({problem}). Load it again; what you typed is kept."
        raise FrameRefused("not_json", words) from problem


def _id_of(value: object) -> str:
    """The id the sender gave, also when the rest of the frame makes no sense, so that the error finds its place."""
    frame_id = value.get("id") if isinstance(value, dict) else ""
    return frame_id[:64] if isinstance(frame_id, str) else ""


def _frame(value: object) -> Frame:
    try:
        return read_frame(value)
    except ValidationError as problem:
        raise FrameRefused("bad_frame", *refusal_words(problem)) from problem


def _person(actor: Actor) -> dict[str, str]:
    initials = actor.membership.user.initials if actor.membership else ""
    return {"name": actor.label, "initials": initials}


def _state(look: SessionLook | None) -> Message:
    if look is None:
        return {"state": None, "word": "Not started", "tone": "", "icon": "dot", "may_try_again": False}
    return {
        "state": look["state"],
        "mode": look["mode"],
        "word": look["state_word"],
        "tone": look["tone"],
        "icon": look["icon"],
        "steps": look["steps"],
        "max_steps": MAX_STEPS,
        "cost": look["cost"],
        "may_try_again": look["may_try_again"],
    }
