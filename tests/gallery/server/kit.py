"""A browser's side of the gallery: requests with the cookie, and the stream of events. Real HTTP over loopback."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Self

import httpx

DEADLINE = 100.0

Told = tuple[str, dict[str, Any]]


@dataclass
class Events:
    """What a page is told, in order. It waits for what is yet to come, with a deadline on silence."""

    lines: Iterator[str]
    cards: dict[str, Any] = field(default_factory=dict)  # as a page keeps them
    order: list[str] = field(default_factory=list)
    head: dict[str, Any] = field(default_factory=dict)

    def next(self) -> Told:
        """The next event; StopIteration when the stream is over."""
        name = ""
        for line in self.lines:
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                value = json.loads(line.removeprefix("data: "))
                self._keep(name, value)
                return name, value
        raise StopIteration

    def until(self, holds: Callable[[str, dict[str, Any]], bool]) -> dict[str, Any]:
        """The next event that is one of these; heartbeats are no events, so silence does not last for ever."""
        for _ in range(2000):
            name, value = self.next()
            if holds(name, value):
                return value
        raise AssertionError("it was not told")

    def holds(self, what: Callable[[], bool]) -> None:
        """Go on until this is so on the page."""
        if not what():
            self.until(lambda name, value: what())

    def state(self, clip: str, state: str) -> dict[str, Any]:
        """The card of a clip, as soon as it has this state."""
        self.holds(lambda: self.cards.get(clip, {}).get("state") == state)
        return self.cards[clip]

    def meter(self, **wanted: object) -> None:
        """Go on until the session's meter says this."""
        self.holds(lambda: wanted.items() <= (self.head.get("session") or {}).items())

    def message(self, kind: str) -> dict[str, Any]:
        """The next word of a kind."""
        return self.until(lambda name, value: name == "message" and value["kind"] == kind)

    def _keep(self, name: str, value: dict[str, Any]) -> None:
        if name == "document":
            self.head = value["head"]
            self.cards |= {card["id"]: card for card in value["cards"]}
            for gone in value["removed"]:
                del self.cards[gone]
            self.order = value["order"] or self.order
            if "index" in value:  # the cards are some of them
                self.order = value["index"]["ids"]
            else:
                assert set(self.order) == set(self.cards)
        elif name == "progress":
            self.cards[value["id"]] |= {"running": value["running"], "state": "running"}


class Browser:
    """One browser: it opens the printed address and then sends its cookie along."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.origin, _, self.token = url.partition("/?token=")
        self.port = int(self.origin.rpartition(":")[2])
        self.client = httpx.Client(base_url=self.origin, trust_env=False, verify=False, timeout=DEADLINE)
        assert self.client.get(url).status_code == 303

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()

    def get(self, path: str, **headers: str) -> httpx.Response:
        """A GET."""
        return self.client.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def json(self, path: str) -> Any:
        """What a GET answers, which must be there."""
        response = self.get(path)
        assert response.status_code == 200, response.text
        return response.json()

    def post(self, action: str, **body: object) -> httpx.Response:
        """A click, from our own page."""
        return self.client.post(f"/api/{action}", json=body, headers={"Origin": self.origin})

    def document(self) -> Any:
        """Everything."""
        return self.json("/api/gallery")

    def apply(self, *clips: str, **instead: object) -> httpx.Response:
        """A click on the button of a clip, or on that of everything, as it is on the page now."""
        document = self.document()
        cards = {card["id"]: card for card in document["cards"]}
        price = cards[clips[0]]["apply"] if clips else document["cost"]
        cost = {name: price[name] for name in ("amount", "currency")}
        body = {"clips": list(clips) or None, "revision": document["revision"], "cost": cost}
        return self.post("apply", **(body | instead))

    @contextmanager
    def events(self) -> Iterator[Events]:
        """The stream."""
        with self.client.stream("GET", "/api/events") as response:
            assert response.headers["content-type"].startswith("text/event-stream")
            yield Events(_lines(response.iter_text()))

    def raw(self, method: str, path: str, **headers: str) -> tuple[int, bytes]:
        """A request whose path and headers nobody tidies up; the Host is ours unless it is given."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE)
        cookie = f"clipform-{self.port}={self.token}"
        given = {"Host": f"127.0.0.1:{self.port}", "Cookie": cookie}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in given.items():
                connection.putheader(name, value)
            connection.endheaders()
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()


def _lines(chunks: Iterator[str]) -> Iterator[str]:
    """Lines as a browser cuts them: not where Python's texts would be cut too, such as at U+2028."""
    rest = ""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split("\n")
        yield from whole
