"""The base of all dialects over HTTP: settings, catalogue, the header with the credentials, path templates."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import ClassVar, Generic
from urllib.parse import parse_qsl

from reconciler.providers.base import Job, MediaRef, Mode, Pace, Request, Scalar
from reconciler.providers.catalogue import catalogue, shipped
from reconciler.providers.check import costly_defaults
from reconciler.providers.replies import path_text
from reconciler.providers.settings import HOLES, S, read


class HttpDialect(Generic[S]):
    """Base of the dialects over HTTP. A subclass states its facts as class attributes and translates."""

    kind: ClassVar[str]
    base_url: ClassVar[str]
    pace: ClassVar[Pace]
    catalogue: ClassVar[str]  # the data file of the models: within this package, or `package:file`
    credentials: ClassVar[tuple[tuple[str, ...], ...]] = (("api_key",),)
    also_reserved: ClassVar[frozenset[str]] = frozenset()  # names that no option may set although `body` lacks them
    form: type[S]  # the kind's settings

    def __init__(self, settings: Mapping[str, object]) -> None:
        self.settings = read(self.form, settings)
        self.models = catalogue(shipped(self.catalogue), self.settings.models)

    @property
    def default_model(self) -> str:
        """The model of clips that name none."""
        return self.settings.default_model

    def auth_headers(self, credentials: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
        """Return the header of the setting `auth_header` with the credential in it; none without a credential."""
        name, _, template = self.settings.auth_header.partition(": ")
        if not set(HOLES.findall(template)) <= credentials.keys():
            return ()
        return ((name, HOLES.sub(lambda hole: credentials[hole[1]], template)),)

    def body(self, job: Job) -> dict[str, object]:
        """Return all fields that this dialect writes into a submit, with None for those that are not sent."""
        raise NotImplementedError

    @cached_property
    def reserved(self) -> frozenset[str]:
        """The names that `body` writes; a field with fields of its own is named by these, with dots."""
        return self.also_reserved | frozenset(self.body(Job(self.models[0], Mode.TEXT, "")))

    def submit(self, job: Job) -> Request:
        """Return the request that submits a job."""
        body = present({**job.options, **self.body(job)})
        return fill("POST", self.settings.submit_path, {"model": job.model.name}, body)

    def _word(self, word: object) -> object:
        """Return a status word, translated by the setting `status_words`."""
        return self.settings.status_words.get(word, word) if isinstance(word, str) else word

    def poll(self, task: str, job: Job | None) -> Request:
        """Return the request for a task's status; the id alone is needed."""
        return fill("GET", self.settings.poll_path, {"task": task})


def fill(method: str, template: str, values: Mapping[str, str], body: object = None) -> Request:
    """Return the request of a path template. Values are escaped in the path, and raw in the query (HTTP escapes it)."""
    path, _, query = template.partition("?")
    for name, value in values.items():
        path = path.replace(f"{{{name}}}", path_text(value))
    pairs = parse_qsl(query, keep_blank_values=True)
    return Request(method, path, tuple((key, _filled(text, values)) for key, text in pairs), body)


def _filled(text: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def stated(job: Job, name: str) -> Scalar | None:
    """Return the value to send for a field: the job's, else the default if it costs money (never-pay-twice#f44)."""
    value: Scalar | None = getattr(job, name)
    return costly_defaults(job.model).get(name) if value is None else value


def present(body: Mapping[str, object]) -> dict[str, object]:
    """Return a body without the fields that are None or an empty list."""
    return {name: value for name, value in body.items() if value is not None and value != []}


def values(refs: tuple[MediaRef, ...]) -> list[str]:
    """Return the values of inputs."""
    return [ref.value for ref in refs]


def value(ref: MediaRef | None) -> str | None:
    """Return the value of one input; None without one."""
    return None if ref is None else ref.value
