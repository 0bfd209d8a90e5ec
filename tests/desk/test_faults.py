"""A page that fails says so, and the log tells why."""

import json
import re
from io import StringIO
from logging import StreamHandler, getLogger

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import path

from tests.cases import JuntoTestCase


@login_not_required
def fail(request: HttpRequest, secret: str) -> HttpResponse:
    """A page with a mistake in it."""
    raise LookupError("the shelf is empty")


urlpatterns = [path("fail/<str:secret>/", fail)]
handler500 = "junto.desk.views.server_error"


@override_settings(ROOT_URLCONF="tests.desk.test_faults")
class FaultTests(JuntoTestCase):
    """As an operator finds it."""

    def test_the_number_on_the_page_leads_to_the_traceback_in_the_log(self) -> None:
        handler = next(each for each in getLogger().handlers if isinstance(each, StreamHandler) and each.name == "log")
        written = StringIO()
        before = handler.setStream(written)
        try:
            page = Client(raise_request_exception=False).get("/fail/hunter2/")
        finally:
            handler.setStream(before)
        assert page.status_code == 500
        shown = re.search(r"<code>([0-9a-f]{8})</code>", page.content.decode())
        assert shown is not None
        lines = [json.loads(line) for line in written.getvalue().splitlines()]
        (line,) = [line for line in lines if line.get("fault") == shown[1]]
        assert line["route"] == "GET fail/<str:secret>/"
        assert "LookupError: the shelf is empty" in line["exception"]
        assert "hunter2" not in written.getvalue()
