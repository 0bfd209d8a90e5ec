"""A delivery of many tickets rings a few times for all of them, and its news reaches whoever one ticket's would."""

from __future__ import annotations

from collections import Counter, defaultdict

from agent.models import AgentSession
from agent.services import open_session
from agent.tasks import open_sessions
from integrations.models import Connection
from junto import engine
from junto.bells import KEYS_AT_ONCE, Keys, each_of, ring_all
from junto.tenants.actors import Actor
from signals.models import Signal
from tests.cases import JuntoTestCase, forget_calls
from tests.factories import CompanyLinkFactory, ConnectionFactory, SignalFactory
from tests.signals.deliveries import deliver, ticket


class ManyAtOnceTestCase(JuntoTestCase):
    psa: Connection

    def setUp(self) -> None:
        super().setUp()
        self.psa = ConnectionFactory(organization=self.northwind)
        CompanyLinkFactory(company=self.harlow, connection=self.psa, external_id="250")

    def woken(self) -> dict[str, list[str]]:
        """The tasks that were woken, each with what it is called with, in order."""
        self.commit()
        found: dict[str, list[str]] = defaultdict(list)
        for lane in ("news", "actions", "people", "polls", "default"):
            while (call := engine.take(lane)) is not None:
                found[call.task.name].append(call.key)
        return found

    def signal_ids(self) -> list[str]:
        return sorted(map(str, Signal.unscoped.filter(connection=self.psa).values_list("pk", flat=True)))


class BellTests(ManyAtOnceTestCase):
    def test_each_ticket_is_read_by_itself_and_told_with_many_others(self) -> None:
        deliver(self.psa, *(ticket(str(number)) for number in range(2 * KEYS_AT_ONCE + 1)))
        woken = self.woken()
        assert woken.pop("process_signal") == self.signal_ids()
        assert set(woken) == {"end_stopped_sessions", "open_sessions", "wake_ticket", "fire_triggers"}
        for calls in woken.values():
            assert [len(call.split()) for call in calls] == [KEYS_AT_ONCE, KEYS_AT_ONCE, 1]
            assert " ".join(calls).split() == self.signal_ids()

    def test_what_processors_find_comes_before_the_session_of_the_same_tickets(self) -> None:
        deliver(self.psa, ticket("1"), ticket("2"))
        self.commit()
        default = [call.task.name for call in iter(lambda: engine.take("default"), None)]
        assert default == ["process_signal", "process_signal", "open_sessions", "fire_triggers"]

    def test_the_same_delivery_again_wakes_nobody(self) -> None:
        many = [ticket(str(number)) for number in range(KEYS_AT_ONCE + 1)]
        deliver(self.psa, *many)
        self.commit()
        forget_calls()
        deliver(self.psa, *many)
        assert self.woken() == {}

    def test_no_keys_wake_nobody(self) -> None:
        ring_all("signal.changed", [])
        assert self.woken() == {}

    def test_a_key_that_fails_keeps_no_other_from_its_turn(self) -> None:
        seen: Counter[int] = Counter()
        each_of(["1", "none", "3"], lambda key: seen.update([int(key)]))
        assert seen == {1: 1, 3: 1}


class SessionTests(ManyAtOnceTestCase):
    def session_on(self, external_id: str) -> AgentSession:
        deliver(self.psa, ticket(external_id))
        signal = Signal.unscoped.get(connection=self.psa, external_id=external_id)
        return open_session(signal=signal, actor=Actor.system("agent", self.northwind), mode="prepare")

    def test_all_sessions_of_tickets_deleted_together_end(self) -> None:
        sessions = [self.session_on(external_id) for external_id in ("1", "2", "3")]
        deliver(self.psa, *(ticket(one, minute=1, deleted=True) for one in ("1", "2")))
        self.commit()
        while (call := engine.take("news")) is not None:
            call.run()
        states = [AgentSession.unscoped.get(pk=session.pk).state for session in sessions]
        assert states == ["stopped", "stopped", "queued"]

    def test_tickets_of_two_organizations_in_one_call_open_a_session_in_each(self) -> None:
        ours: Signal = SignalFactory(organization=self.northwind, company=self.harlow)
        theirs: Signal = SignalFactory(organization=self.southgate, company=self.quayside)
        closed: Signal = SignalFactory(
            organization=self.northwind, company=self.pinewood, state=Signal.State.RESOLVED, closed_at_source=True
        )
        open_sessions.call(Keys(f"{ours.pk} {closed.pk} {theirs.pk}"))
        opened = AgentSession.unscoped.values_list("signal_id", "organization_id")
        assert set(opened) == {(ours.pk, self.northwind.pk), (theirs.pk, self.southgate.pk)}
