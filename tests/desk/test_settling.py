"""What a server does about its own pauses once it has started."""

import gc
import sys

from asgiref.testing import ApplicationCommunicator
from django.test import SimpleTestCase, override_settings

from junto.asgi import application


class SettlingTest(SimpleTestCase):
    @override_settings(REDIS_URL="redis://127.0.0.1:9/0")  # distributed: no lanes and no clock start here
    async def test_what_it_has_loaded_is_walked_through_no_more_and_threads_hand_over_sooner(self) -> None:
        thresholds, interval = gc.get_threshold(), sys.getswitchinterval()
        gc.unfreeze()
        server = ApplicationCommunicator(application, {"type": "lifespan"})
        try:
            await server.send_input({"type": "lifespan.startup"})
            answer = await server.receive_output()
            watched = len(gc.get_objects())
            assert answer["type"] == "lifespan.startup.complete"
            assert gc.get_freeze_count() > 10 * watched
            assert sys.getswitchinterval() < interval
        finally:
            server.stop(exceptions=False)
            gc.set_threshold(*thresholds)
            sys.setswitchinterval(interval)
            gc.freeze()
