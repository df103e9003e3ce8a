"""An OpenAI-compatible chat server on this machine, which can be told to fail in all the ways in which endpoints do."""

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

FAULTS = ("429", "500", "timeout", "truncated", "refusal", "malformed JSON", "empty")


@dataclass
class Endpoint:
    """What the server does, and what it did.

    Attributes:
        reply: messages -> the text of the answer.
        share: of calls that fail, by a fault drawn from ``faults``.
        sticky: the same messages always meet the same fault, however often they are sent again.
        complete: the whole request -> the answer's choice and its usage, in place of ``reply``.
        refuses: the whole request -> why it is answered with 400, if it is.
        slow: seconds that a call hangs which is to time out.
        did: fault (or "ok") -> calls.
    """

    reply: Callable[[list[dict[str, Any]]], str]
    complete: Callable[[dict[str, Any]], tuple[dict[str, Any], dict[str, int]]] | None = None
    refuses: Callable[[dict[str, Any]], str | None] | None = None
    share: float = 0.0
    faults: tuple[str, ...] = FAULTS
    sticky: bool = False
    slow: float = 4.0
    seed: int = 0
    did: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)
    url: str = ""

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)

    def draw(self, messages: list[dict[str, Any]]) -> str:
        """What happens to a call."""
        with self.lock:
            dice = random.Random(json.dumps(messages)) if self.sticky else self.dice
            fault = dice.choice(self.faults) if dice.random() < self.share else "ok"
            self.did[fault] += 1
            return fault


def _completion(model: str, text: str, stop: str = "stop") -> dict[str, Any]:
    message = {"role": "assistant", "content": text}
    used = {"prompt_tokens": 50, "completion_tokens": len(text.split()), "total_tokens": 50 + len(text.split())}
    choice = {"index": 0, "message": message, "finish_reason": stop}
    return {"id": "x", "object": "chat.completion", "created": 0, "model": model, "choices": [choice], "usage": used}


def _handler(endpoint: Endpoint) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            pass

        def _send(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if endpoint.refuses and (why := endpoint.refuses(asked)):
                return self._send(400, json.dumps({"error": {"message": why}}).encode())
            fault = endpoint.draw(asked["messages"])
            if fault in ("429", "500"):
                return self._send(int(fault), json.dumps({"error": {"message": f"fault {fault}"}}).encode())
            if fault == "timeout":
                time.sleep(endpoint.slow)
            if fault == "ok" and endpoint.complete:
                choice, used = endpoint.complete(asked)
                said = _completion(asked["model"], "") | {"choices": [choice], "usage": used}
                return self._send(200, json.dumps(said).encode())
            text = {"refusal": "I'm sorry, but I can't help with that.", "empty": ""}.get(fault)
            text = endpoint.reply(asked["messages"]) if text is None else text
            if fault == "truncated":
                made = _completion(asked["model"], text[: len(text) // 2], "length")
            else:
                made = _completion(asked["model"], text)
            body = json.dumps(made).encode()
            return self._send(200, body[: len(body) // 2] if fault == "malformed JSON" else body)

    return Handler


@contextmanager
def serving(endpoint: Endpoint) -> Iterator[Endpoint]:
    """Serve until the block ends; ``endpoint.url`` is where."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(endpoint))
    endpoint.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield endpoint
    finally:
        server.shutdown()
        server.server_close()
