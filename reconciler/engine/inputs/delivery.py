"""Carries local files to providers, by the ways that `routes` decides on; nothing is uploaded twice.

What is read here is read once, and must be what the plan hashed. Links and data URLs go into the request and nowhere
else: they may be keys to what they name, so no message and no repr has them.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from reconciler.artifacts import reading
from reconciler.artifacts.publish import Publisher
from reconciler.artifacts.reading import InputFile
from reconciler.artifacts.upload_links import Handles
from reconciler.diagnostics import MediaError
from reconciler.engine.ports import ConnectedProvider
from reconciler.media.headers import MediaType, type_of
from reconciler.project.orders import Order
from reconciler.providers import media_routes
from reconciler.providers.base import Dialect, MediaRef, Model
from reconciler.providers.capabilities import Hosted
from reconciler.providers.media_routes import NoWay, Sort, Way, means_of


@runtime_checkable
class Uploader(Protocol):
    """A transport that can hand a file to its vendor."""

    async def upload(self, path: Path, sha256: str, content_type: str) -> Hosted:
        """Have the vendor host a file, whose content it checks against the hash. Raises ProviderError."""


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file to be sent. `shown` is what messages call it, `sha256` what the plan says is in it."""

    field: str
    path: Path
    sha256: str
    shown: str

    @property
    def sort(self) -> Sort:
        """What its field wants."""
        return media_routes.sort_of(self.field)


def publisher_of(
    section: Mapping[str, object], env: Mapping[str, str], orders: Iterable[Order], dialects: Mapping[str, Dialect]
) -> Publisher | None:
    """The project's store, if it has one. Raises ClipformError, before anything is sent, when an order surely needs it
    and there is no way in. (Whether a data URL is too large shows only when it is made.)"""
    if not section:
        return None
    publisher = Publisher(section, env)
    for order in orders:
        if media_routes.must_publish(
            order.clip, order.resolved.model, means_of(dialects[order.clip.spec.provider], True)
        ):
            publisher.open()
            break
    return publisher


class MediaDelivery:
    """The ways out of one run. `vendors` are by alias; `publisher` is None where the project has no store."""

    def __init__(self, vendors: Mapping[str, ConnectedProvider], handles: Handles, publisher: Publisher | None) -> None:
        self._vendors, self._handles, self._publisher = vendors, handles, publisher
        self._means = {alias: means_of(vendor.dialect, publisher is not None) for alias, vendor in vendors.items()}
        self._locks: dict[tuple[str, str], asyncio.Lock] = {}

    async def send(self, alias: str, model: Model, parcel: LocalFile, free: int | None) -> MediaRef:
        """What stands for the file in a request to this provider that has `free` bytes left.

        Raises MediaError when it is not what was planned or cannot be sent, ArtifactError and ProviderError for what
        went wrong on the way.
        """
        if "file" in media_routes.schemes(model, parcel.sort):
            return MediaRef("file", str(parcel.path), parcel.sha256)
        with reading.opened(parcel.path, parcel.shown) as file:
            kind = _fitting(parcel, file)
            way = media_routes.choose(model, parcel.sort, file.size, self._means[alias], free)
            if isinstance(way, NoWay):
                raise MediaError(f"{parcel.field}: {parcel.shown}: {way.message}", help=way.help)
            if way is Way.DATA:
                return MediaRef("data", await asyncio.to_thread(_data_url, kind, file, parcel), parcel.sha256)
            link = self._uploaded(alias, parcel, kind) if way is Way.UPLOAD else self._published(parcel, kind, file)
            return MediaRef("https", await link, parcel.sha256)

    async def _uploaded(self, alias: str, parcel: LocalFile, kind: MediaType) -> str:
        """The vendor's link, from memory while it lives. Whoever comes second waits for the first one's upload."""
        vendor = self._vendors[alias]
        async with self._locks.setdefault((alias, parcel.sha256), asyncio.Lock()):
            known = self._handles.find(alias, vendor.kind, parcel.sha256)
            if known is not None:
                return known
            if not isinstance(vendor.transport, Uploader):
                raise MediaError(f"{parcel.shown}: provider {alias} cannot be given files over this transport")
            hosted = await vendor.transport.upload(parcel.path, parcel.sha256, kind.content_type)
            self._handles.remember(alias, vendor.kind, parcel.sha256, hosted)
            return hosted.url

    async def _published(self, parcel: LocalFile, kind: MediaType, file: InputFile) -> str:
        assert self._publisher is not None
        name = f"{parcel.sha256}{kind.suffix}"
        made = await self._publisher.publish(name, kind.content_type, lambda: file.content(parcel.sha256))
        return made.url


def _fitting(parcel: LocalFile, file: InputFile) -> MediaType:
    """What the file is, by its content. Raises MediaError when its field wants something else."""
    kind = type_of(file.head)
    if kind is None or kind.kind != parcel.sort:
        found = "not known media" if kind is None else f"{kind.format} ({kind.kind})"
        raise MediaError(f"{parcel.field} wants {parcel.sort}, and {parcel.shown} is {found}")
    return kind


def _data_url(kind: MediaType, file: InputFile, parcel: LocalFile) -> str:
    content = base64.b64encode(file.content(parcel.sha256)).decode("ascii")
    return f"data:{kind.data_type};base64,{content}"
