"""What only some vendors can do, each as a protocol of its own: ask with `isinstance(dialect, Lists)`, never by kind.

All of it is pure, as in `base`: requests out, replies in; a transport does the exchanges.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from reconciler.providers.base import (
    Cancelled,
    Dialect,
    NotFound,
    PollAnswer,
    PollTrouble,
    Rejected,
    Reply,
    Request,
    Scalar,
)


@runtime_checkable
class SpokenOverHttp(Dialect, Protocol):
    """A dialect spoken over HTTP with credentials."""

    @property
    def credentials(self) -> tuple[tuple[str, ...], ...]:
        """The sets of credential names that will do, best first: `(("access_token",), ("app_id", "secret_key"))`."""

    @property
    def reserved(self) -> frozenset[str]:
        """Names in the request body that this dialect writes, nested ones with dots; `options` may not name them."""

    def auth_headers(self, credentials: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
        """The headers that carry the credentials; only a transport calls this, with the secrets' text."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One task of a list: its standing, and what of the request it echoes, so that a lost one can be recognised.

    `echo` uses our field names; `media` are the input URLs it shows, first frame first.
    """

    task: str
    answer: PollAnswer
    created: float | None = None  # Unix seconds, the provider's clock
    echo: Mapping[str, Scalar] = field(default_factory=dict)
    media: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TaskPage:
    """One page of a list; `total` is how many tasks all pages hold, None when not told."""

    tasks: tuple[Listed, ...]
    total: int | None = None


@runtime_checkable
class Lists(Dialect, Protocol):
    """A vendor that can be asked for many tasks at once."""

    @property
    def list_size(self) -> int:
        """The most tasks a page holds, and the most ids that one request may name."""

    def list_tasks(self, tasks: Sequence[str] = (), page: int = 1) -> Request:
        """Ask for these tasks, or for all, newest first where the vendor sorts; pages count from 1."""

    def read_list(self, reply: Reply) -> TaskPage | PollTrouble:
        """What a page says."""


@dataclass(frozen=True, slots=True)
class TaskList:
    """One reading of a whole list. `complete`: as many tasks were shown as the vendor counts. `skew`: seconds by which
    the vendor's clock is ahead of ours, None when it does not tell its time."""

    tasks: tuple[Listed, ...]
    complete: bool = True
    skew: float | None = None


@dataclass(frozen=True, slots=True)
class Coverage:
    """What a list must be for "not there" to mean anything: it shows all tasks of the account, whatever their standing,
    at most `lag` seconds after they were accepted, and for `kept` seconds."""

    lag: float
    kept: float


@runtime_checkable
class Covers(Lists, Protocol):
    """A vendor whose list may be declared complete."""

    @property
    def coverage(self) -> Coverage | None:
        """None as long as nobody vouches for the list: then what it does not show proves nothing."""


@dataclass(frozen=True, slots=True)
class CancelRefused:
    """The task was not cancelled: it runs on, or has ended."""

    message: str


@runtime_checkable
class Cancels(Dialect, Protocol):
    """A vendor with a cancel. Send it only right after a poll that said `Working(queued=True)` (F55)."""

    def cancel(self, task: str) -> Request:
        """Ask to drop a queued task."""

    def read_cancel(self, reply: Reply) -> Cancelled | CancelRefused | NotFound | PollTrouble:
        """What became of it."""


@dataclass(frozen=True, slots=True)
class AskFirst:
    """A step of an upload: make this exchange, after waiting `wait` seconds.

    `file` is the vendor's id and `hosted` the URL that will stand for the file, once they are known.
    """

    request: Request
    wait: float = 0.0
    file: str = ""
    hosted: str = ""


@dataclass(frozen=True, slots=True)
class SendForm:
    """A step of an upload: POST the bytes to `path` as the multipart field `field`, with the credentials."""

    path: str
    field: str


@dataclass(frozen=True, slots=True)
class PutBytes:
    """A step of an upload: PUT the bytes to a foreign host, with exactly this content type and no credentials."""

    url: str
    content_type: str
    file: str
    hosted: str = ""


@dataclass(frozen=True, slots=True)
class Hosted:
    """The end of an upload: the URL to send; `life` in seconds, None when nobody says."""

    url: str = field(repr=False)
    life: float | None = None


@dataclass(frozen=True, slots=True)
class UploadRefused:
    """The end of an upload: the vendor does not take the file."""

    message: str


UploadAction = AskFirst | SendForm | PutBytes
UploadStep = UploadAction | Hosted | UploadRefused | PollTrouble


@runtime_checkable
class Uploads(Dialect, Protocol):
    """A vendor that hosts inputs: do what each step says, feed its reply back, until a step asks for nothing."""

    @property
    def upload_max_bytes(self) -> int | None: ...

    def upload(self, name: str, content_type: str) -> UploadAction:
        """The first step for a file."""

    def read_upload(self, step: UploadAction, reply: Reply) -> UploadStep:
        """The step after `step` got this reply."""


@dataclass(frozen=True, slots=True)
class Balance:
    """What is left on an account, as the vendor writes it; shown as a hint, never computed with."""

    available: str
    unit: str = ""


@runtime_checkable
class Balances(Dialect, Protocol):
    """A vendor whose balance can be read."""

    def balance(self) -> Request: ...

    def read_balance(self, reply: Reply) -> Balance | PollTrouble: ...


@dataclass(frozen=True, slots=True)
class Token:
    """A short-lived credential; `expires` is Unix seconds. A new one may kill the one before."""

    text: str = field(repr=False)
    expires: float


@runtime_checkable
class Tokens(Dialect, Protocol):
    """A vendor whose credential is fetched. One fetcher at a time an account; renew `token_margin` seconds early."""

    @property
    def token_margin(self) -> float: ...

    def token_request(self, credentials: Mapping[str, str]) -> Request:
        """The request for a token. Its body holds a secret: it is never recorded or logged."""

    def read_token(self, reply: Reply, now: float) -> Token | Rejected | PollTrouble:
        """The token of a reply that came at `now`."""
