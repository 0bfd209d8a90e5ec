"""Our own read tool over signals."""

from __future__ import annotations

from integrations.tools import ToolContext, registry
from signals.models import Signal
from tests.cases import JuntoTestCase
from tests.factories import SignalFactory, SignalNoteFactory


class SearchSignalsTests(JuntoTestCase):
    def found(self, query: str, **more: object) -> list[str]:
        tool = registry.get("junto.search_signals")
        subject = more.pop("subject", "")
        context = ToolContext(organization=self.northwind, company=self.harlow, subject=str(subject))
        result = tool.run(context, tool.accept({"query": query, **more}))
        assert result.foreign
        return [row["subject"] for row in result.content["signals"]]

    def test_it_finds_signals_of_the_same_company_only(self) -> None:
        signal = SignalFactory(company=self.harlow, subject="VPN drops")
        SignalNoteFactory(signal=signal)
        SignalFactory(company=self.pinewood, subject="VPN of another client")
        SignalFactory(company=self.quayside, subject="VPN of a rival's client")
        assert self.found("vpn") == ["VPN drops"]

    def test_the_signal_of_the_session_itself_is_left_out(self) -> None:
        signal: Signal = SignalFactory(company=self.harlow, subject="VPN drops")
        assert self.found("vpn", subject=signal.origin_subject) == []

    def test_closed_ones_can_be_asked_for(self) -> None:
        SignalFactory(company=self.harlow, subject="VPN open")
        SignalFactory(company=self.harlow, subject="VPN closed", closed_at_source=True)
        assert self.found("vpn", closed=True) == ["VPN closed"]
