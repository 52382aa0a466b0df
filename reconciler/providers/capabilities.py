"""Features that only some vendors have, one protocol each: test with `isinstance(dialect, Lists)`, never by kind.

All methods are pure, as in `base`: they build requests and read replies; a transport makes the exchanges.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Protocol, runtime_checkable

from reconciler.frozen import dataclass
from reconciler.providers import base
from reconciler.providers.base import Dialect, PollTrouble, Reply, Request, Scalar


@runtime_checkable
class SpokenOverHttp(Dialect, Protocol):
    """A dialect that is spoken over HTTP with credentials."""

    @property
    def credentials(self) -> tuple[tuple[str, ...], ...]:
        """The sets of credential names, best first; one is needed: `(("access_token",), ("app_id", "secret_key"))`."""

    @property
    def reserved(self) -> frozenset[str]:
        """Names in the request body that this dialect writes, nested ones with dots; `options` may not set them."""

    def auth_headers(self, credentials: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
        """Return the headers with the credentials; only a transport calls this, with the secrets in clear."""


@runtime_checkable
class HasRegions(Dialect, Protocol):
    """A vendor with several addresses of its own."""

    @property
    def regions(self) -> tuple[str, ...]:
        """The addresses besides `base_url`."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One task of a list: its status, and the parts of its request that it echoes, by which a lost task is recognised.

    `echo` uses our field names; `media` are its input URLs, first frame first.
    """

    task: str
    answer: base.PollAnswer
    created: float | None = None  # Unix seconds, the provider's clock
    echo: Mapping[str, Scalar] = field(default_factory=dict)
    media: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TaskPage:
    """One page of a list; `total` is the number of tasks on all pages, None if not reported.

    `more`: of a list without numbers of pages, the query parameters of the next page; empty on the last one.
    """

    tasks: tuple[Listed, ...]
    total: int | None = None
    more: tuple[tuple[str, str], ...] | None = None


@runtime_checkable
class PollsInSteps(Dialect, Protocol):
    """A vendor that shows a task's outcome at another address than its status. `poll` asks the first step."""

    def read_step(self, task: str, asked: Request, reply: Reply) -> base.PollAnswer | Request:
        """Return the meaning of the reply to `asked`, or the request that must be answered first."""


@runtime_checkable
class ShowsFrames(Protocol):
    """A dialect whose tasks show the frames that they were sent, so that ignored ones are noticed."""

    @property
    def shows_frames(self) -> bool: ...


@runtime_checkable
class Lists(Dialect, Protocol):
    """A vendor with a list of tasks."""

    @property
    def list_size(self) -> int:
        """The most tasks on a page, and the most ids in one request."""

    def list_tasks(self, tasks: Sequence[str] = (), page: int = 1) -> Request:
        """Return the request for these tasks, or for all, newest first if the vendor sorts; pages count from 1."""

    def read_list(self, reply: Reply) -> TaskPage | PollTrouble:
        """Return the tasks of a page."""


@runtime_checkable
class NamesTasks(Lists, Protocol):
    """A vendor whose list shows other ids than the ones by which its tasks are polled."""

    def listed_name(self, task: str) -> str:
        """Return the id that the list shows for a task."""


@runtime_checkable
class RestrictedList(Lists, Protocol):
    """A vendor that limits list requests by themselves, and shows all tasks only to several filters."""

    @property
    def lists_per_second(self) -> float:
        """The list requests a second that an account may make; 0: any number."""

    @property
    def list_filters(self) -> Sequence[tuple[tuple[str, str], ...]]:
        """Query parameters of each reading; all readings together show every task."""


@dataclass(frozen=True, slots=True)
class TaskList:
    """All pages of a list. `complete`: the number of tasks equals the vendor's count. `date`: the vendor's time of the
    first page, in Unix seconds; None if its reply has no readable date."""

    tasks: tuple[Listed, ...]
    complete: bool = True
    date: float | None = None


@dataclass(frozen=True, slots=True)
class Coverage:
    """The promise that makes absence from a list a proof: it shows all tasks of the account in every status, at most
    `lag` seconds after they were accepted, and for `retention` seconds."""

    lag: float
    retention: float


@runtime_checkable
class Covers(Lists, Protocol):
    """A vendor whose list may be declared complete in its settings."""

    @property
    def coverage(self) -> Coverage | None:
        """None unless the list is declared complete: absence from it then proves nothing."""


@runtime_checkable
class Echoes(Lists, Protocol):
    """A vendor whose documents say that its list shows some facts of each request as they were sent."""

    @property
    def echoes(self) -> frozenset[str]:
        """Their names in `Listed.echo`; a task that shows another value is another request's."""


@runtime_checkable
class Marks(Dialect, Protocol):
    """A vendor whose tasks show a number that shapes no video: a lost task is recognised by it."""

    def marks(self, job: base.Job) -> range:
        """Return the numbers that may be sent as `Job.expires_after`; empty if none is to be sent with this job."""


@dataclass(frozen=True, slots=True)
class CancelRefused:
    """The task was not cancelled: it still runs, or it has ended."""

    message: str


@runtime_checkable
class Cancels(Dialect, Protocol):
    """A vendor that cancels tasks. Send a cancel only right after a poll that answered `Working(queued=True)`:
    never-pay-twice#f55."""

    def cancel(self, task: str) -> Request:
        """Return the request that cancels a queued task."""

    def read_cancel(self, reply: Reply) -> base.Cancelled | CancelRefused | base.NotFound | PollTrouble:
        """Return the outcome of a cancel."""


@runtime_checkable
class CallsBack(Dialect, Protocol):
    """A vendor that calls an address when a task has ended."""

    @property
    def callback_field(self) -> str:
        """The field of a submit's body that names the address."""


@dataclass(frozen=True, slots=True)
class AskFirst:
    """A step of an upload: wait `wait` seconds, then send this request.

    `file` is the vendor's id of the file and `hosted` its URL, each empty until known.
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
    """A step of an upload: PUT the bytes to another host, with exactly this content type and no credentials."""

    url: str
    content_type: str
    file: str
    hosted: str = ""


@dataclass(frozen=True, slots=True)
class Hosted:
    """The end of an upload: the URL to send, valid for `life` seconds; None if unknown."""

    url: str = field(repr=False)
    life: float | None = None


@dataclass(frozen=True, slots=True)
class UploadRefused:
    """The end of an upload: the vendor refuses the file."""

    message: str


UploadAction = AskFirst | SendForm | PutBytes
UploadStep = UploadAction | Hosted | UploadRefused | PollTrouble


@runtime_checkable
class Uploads(Dialect, Protocol):
    """A vendor that hosts inputs. Carry out each step and pass its reply to `read_upload`, until no action is left."""

    @property
    def upload_max_bytes(self) -> int | None: ...

    def upload(self, name: str, content_type: str) -> UploadAction:
        """Return the first step for a file."""

    def read_upload(self, step: UploadAction, reply: Reply) -> UploadStep:
        """Return the step that follows `step` and its reply."""


@dataclass(frozen=True, slots=True)
class Balance:
    """The balance of an account as the vendor writes it; shown as a hint, never computed with."""

    available: str
    unit: str = ""


@runtime_checkable
class Balances(Dialect, Protocol):
    """A vendor whose balance can be read."""

    def balance(self) -> Request: ...

    def read_balance(self, reply: Reply) -> Balance | PollTrouble: ...


@dataclass(frozen=True, slots=True)
class Token:
    """A short-lived credential; `expires` is Unix seconds. A new one may invalidate the old one."""

    text: str = field(repr=False)
    expires: float


@runtime_checkable
class Tokens(Dialect, Protocol):
    """A vendor that exchanges credentials for a token. Fetch one at a time per account, `token_margin` s early."""

    @property
    def token_margin(self) -> float: ...

    def token_request(self, credentials: Mapping[str, str]) -> Request:
        """Return the request for a token. Its body holds a secret: never record or log it."""

    def read_token(self, reply: Reply, now: float) -> Token | base.Rejected | PollTrouble:
        """Return the token of a reply that arrived at `now`, in Unix seconds."""
