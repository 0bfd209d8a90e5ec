"""A chat-completions server without delay that plays the one session of the agent loop's benchmark.

Run as `python -m bench.model_server PORT`. It reads off the conversation how far the session is: five replies, of which
four ask for one tool each (two reads, two writes), as in STACK.md's comparison of agent loops.
"""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PLAN = ("junto__bench_look", "junto__bench_list", "junto__bench_note", "junto__bench_close")


class Answer(BaseHTTPRequestHandler):
    """One request: the next step of the plan, as a server-sent stream when asked for."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Answer `POST /v1/chat/completions`."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        said = sum(message["role"] == "assistant" for message in asked["messages"])
        delta: dict[str, object] = {"role": "assistant", "content": f"Step {said + 1}."}
        if said < len(PLAN):
            function = {"name": PLAN[said], "arguments": json.dumps({"text": f"step {said + 1}"})}
            delta["tool_calls"] = [{"index": 0, "id": f"call_{said}", "type": "function", "function": function}]
        self._send(delta, streaming=bool(asked.get("stream")))

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing: thousands of requests."""

    def _send(self, delta: dict[str, object], *, streaming: bool) -> None:
        finish = "tool_calls" if "tool_calls" in delta else "stop"
        usage = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
        key = "delta" if streaming else "message"
        whole: dict[str, object] = {
            "id": "bench",
            "created": 0,
            "model": "bench",
            "object": "chat.completion.chunk" if streaming else "chat.completion",
            "choices": [{"index": 0, key: delta, "finish_reason": finish}],
            "usage": usage,
        }
        text = json.dumps(whole)
        body = (f"data: {text}\n\ndata: [DONE]\n\n" if streaming else text).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream" if streaming else "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Answer).serve_forever()
