"""Delivers local files to providers by the route that `media_routes` chooses; nothing is uploaded twice.

A file is read once, and its content must be what the plan hashed. Links and data URLs go into the request and nowhere
else: they may grant access to what they name, so no message and no repr shows them.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol, runtime_checkable

from reconciler.artifacts import reading
from reconciler.artifacts.publish import Publisher
from reconciler.artifacts.reading import InputFile
from reconciler.artifacts.upload_links import UploadLinks
from reconciler.diagnostics import MediaError
from reconciler.engine.ports import ConnectedProvider
from reconciler.frozen import dataclass
from reconciler.media.headers import MediaType, type_of
from reconciler.project.orders import Order
from reconciler.providers import media_routes
from reconciler.providers.base import Dialect, MediaRef, Model
from reconciler.providers.capabilities import Hosted
from reconciler.providers.media_routes import MediaKind, NoRoute, Route, hosting_of


@runtime_checkable
class Uploader(Protocol):
    """A transport that can upload a file to its provider."""

    async def upload(self, path: Path, sha256: str, content_type: str) -> Hosted:
        """Upload a file whose content has the given hash. Raises ProviderError."""


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file to be sent. `label` names it in messages; `sha256` is of its content at the plan."""

    field: str
    path: Path
    sha256: str
    label: str

    @property
    def media_kind(self) -> MediaKind:
        """Return the kind of media that its field takes."""
        return media_routes.kind_of(self.field)


def publisher_of(
    section: Mapping[str, object], env: Mapping[str, str], orders: Iterable[Order], dialects: Mapping[str, Dialect]
) -> Publisher | None:
    """Return the project's store; None if it has none.

    Raises ClipformError, before anything is sent, when an order certainly needs the store and it cannot be opened. (A
    data URL shows only when it is made that it is too large.)
    """
    if not section:
        return None
    publisher = Publisher(section, env)
    for order in orders:
        hosting = hosting_of(dialects[order.clip.spec.provider], True)
        if media_routes.must_publish(order.clip, order.resolved.model, hosting):
            publisher.open()
            break
    return publisher


class MediaDelivery:
    """The delivery of one run. `providers` are by alias; `publisher` is None where the project has no store."""

    def __init__(
        self, providers: Mapping[str, ConnectedProvider], handles: UploadLinks, publisher: Publisher | None
    ) -> None:
        self._providers, self._handles, self._publisher = providers, handles, publisher
        self._hosting = {alias: hosting_of(p.dialect, publisher is not None) for alias, p in providers.items()}
        self._locks: dict[tuple[str, str], asyncio.Lock] = {}

    async def send(self, alias: str, model: Model, file: LocalFile, free: int | None) -> MediaRef:
        """Deliver a file, and return its reference for a request to this provider that has `free` bytes left.

        Raises MediaError when it differs from the plan or cannot be sent, ArtifactError or ProviderError.
        """
        if "file" in media_routes.schemes(model, file.media_kind):
            return MediaRef("file", str(file.path), file.sha256)
        with reading.opened(file.path, file.label) as content:
            kind = _checked_type(file, content)
            route = media_routes.choose(model, file.media_kind, content.size, self._hosting[alias], free)
            if isinstance(route, NoRoute):
                raise MediaError(f"{file.field}: {file.label}: {route.message}", help=route.help)
            if route is Route.DATA:
                return MediaRef("data", await asyncio.to_thread(_data_url, kind, content, file), file.sha256)
            link = self._uploaded(alias, file, kind) if route is Route.UPLOAD else self._published(file, kind, content)
            return MediaRef("https", await link, file.sha256)

    async def _uploaded(self, alias: str, file: LocalFile, kind: MediaType) -> str:
        """Return the provider's link: a remembered one while it lives, else of one upload that all clips wait for."""
        provider = self._providers[alias]
        async with self._locks.setdefault((alias, file.sha256), asyncio.Lock()):
            link = self._handles.find(alias, provider.kind, file.sha256)
            if link is not None:
                return link
            if not isinstance(provider.transport, Uploader):
                raise MediaError(f"{file.label}: provider {alias} cannot be given files over this transport")
            hosted = await provider.transport.upload(file.path, file.sha256, kind.content_type)
            self._handles.remember(alias, provider.kind, file.sha256, hosted)
            return hosted.url

    async def _published(self, file: LocalFile, kind: MediaType, content: InputFile) -> str:
        assert self._publisher is not None
        name = f"{file.sha256}{kind.suffix}"
        hosted = await self._publisher.publish(name, kind.content_type, lambda: content.content(file.sha256))
        return hosted.url


def _checked_type(file: LocalFile, content: InputFile) -> MediaType:
    """Return the type of a file by its content. Raises MediaError when its field takes something else."""
    kind = type_of(content.head)
    if kind is None or kind.kind != file.media_kind:
        actual = "not known media" if kind is None else f"{kind.format} ({kind.kind})"
        raise MediaError(f"{file.field} wants {file.media_kind}, and {file.label} is {actual}")
    return kind


def _data_url(kind: MediaType, content: InputFile, file: LocalFile) -> str:
    encoded = base64.b64encode(content.content(file.sha256)).decode("ascii")
    return f"data:{kind.data_type};base64,{encoded}"
