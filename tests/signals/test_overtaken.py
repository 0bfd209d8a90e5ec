"""Two people look at one value: who comes second sees what the first one said before it is replaced."""

from __future__ import annotations

import re
from typing import Any

from junto.tenants.models import Membership
from signals.models import ProcessorResult, ProcessorSetting, ReviewItem, Signal
from tests.signals.test_processor_pages import KIND, PageCase


class OvertakenTests(PageCase):
    """Oskar's page is from before Theo's word."""

    def says(self, person: Membership, signal: Signal, step: str, **data: Any) -> Any:
        self.log_in(person)
        return self.client.post(self.path(f"signals/{signal.pk}/findings/{KIND}/{step}/"), data, follow=True)

    def stands(self, signal: Signal) -> tuple[str, Membership | None]:
        row = self.standing(signal)
        assert row is not None
        return row.value["kind"], row.person

    def seen(self, page: Any) -> str:
        found = re.search(r'name="seen" value="([^"]*)"', page.content.decode())
        assert found is not None
        return found[1]

    def test_right_on_an_old_page_replaces_no_other_person_s_word(self) -> None:
        signal = self.read()
        machines = self.standing(signal)
        assert machines is not None
        self.says(self.theo, signal, "correct", kind="request", seen=str(machines.pk))
        page = self.says(self.oskar, signal, "confirm", result=str(machines.pk)).content.decode()
        assert "Not confirmed. Theo Okafor said “Request” meanwhile." in page
        assert self.stands(signal) == ("request", self.theo)

    def test_in_the_review_queue_neither(self) -> None:
        ProcessorSetting.objects.create(organization=self.northwind, processor=KIND, options={"confidence": 0.99})
        signal = self.read()
        item = ReviewItem.objects.for_organization(self.northwind).get()
        self.says(self.theo, signal, "correct", kind="request", seen="")
        page = self.says(self.oskar, signal, "confirm", result=str(item.result_id), back="review").content.decode()
        assert "Theo Okafor said “Request” meanwhile." in page
        assert self.stands(signal) == ("request", self.theo)

    def test_a_correction_on_an_old_page_is_asked_for_again_and_nothing_typed_is_lost(self) -> None:
        signal = self.read()
        old = self.seen(self.log_in(self.oskar).get(self.path(f"signals/{signal.pk}/findings/{KIND}/")))
        self.says(self.theo, signal, "correct", kind="request", seen=old)
        answer = self.says(self.oskar, signal, "correct", kind="issue", seen=old)
        page = answer.content.decode()
        assert answer.status_code == 409
        assert "Theo Okafor said “Request” meanwhile. Save again to put yours in its place." in page
        assert re.search(r'<option value="issue" selected>|value="issue"[^>]* checked', page)
        assert self.stands(signal) == ("request", self.theo)
        assert self.says(self.oskar, signal, "correct", kind="issue", seen=self.seen(answer)).status_code == 200
        assert self.stands(signal) == ("issue", self.oskar)

    def test_what_somebody_took_back_meanwhile_is_not_confirmed(self) -> None:
        signal = self.read()
        machines = self.standing(signal)
        assert machines is not None
        self.says(self.theo, signal, "revert", result=str(machines.pk))
        page = self.says(self.oskar, signal, "confirm", result=str(machines.pk)).content.decode()
        assert "Not confirmed. It was taken back meanwhile." in page
        assert not ProcessorResult.unscoped.filter(signal=signal, person=self.oskar).exists()

    def test_one_s_own_word_is_replaced_from_any_page(self) -> None:
        signal = self.read()
        machines = self.standing(signal)
        assert machines is not None
        self.says(self.theo, signal, "correct", kind="request", seen="")
        self.says(self.theo, signal, "confirm", result=str(machines.pk))
        assert self.stands(signal) == ("issue", self.theo)
