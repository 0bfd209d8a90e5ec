"""What a server does with its memory once it has started."""

import gc

from asgiref.testing import ApplicationCommunicator
from django.test import SimpleTestCase, override_settings

from junto.asgi import application


class SettlingTest(SimpleTestCase):
    @override_settings(REDIS_URL="redis://127.0.0.1:9/0")  # distributed: no lanes and no clock start here
    async def test_what_a_started_server_has_loaded_is_walked_through_no_more(self) -> None:
        thresholds = gc.get_threshold()
        gc.unfreeze()
        server = ApplicationCommunicator(application, {"type": "lifespan"})
        try:
            await server.send_input({"type": "lifespan.startup"})
            answer = await server.receive_output()
            watched = len(gc.get_objects())
            assert answer["type"] == "lifespan.startup.complete"
            assert gc.get_freeze_count() > 10 * watched
        finally:
            server.stop(exceptions=False)
            gc.set_threshold(*thresholds)
            gc.freeze()
