"""The media origin: results and uploads, on a port of its own, as storage behind signed links.

    GET /v/<task>.mp4, /f/<task>.png     with the link's `expires` and `token`: 403 when it is past or not ours
    GET /u/<id>/<name>                   an upload; with a token the same holds, without one it is public
    PUT /u/<id>/<name>                   into an upload slot, with exactly the type it was opened for (else 403)

No credential belongs here: a request that brings one is refused with 400, as storage does that is signed by its link,
and the leak is taken down. Ranges are answered with a strong ETag, and `If-Range` is honoured.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import zlib
from collections.abc import AsyncIterator
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from reconciler.emulator.api import Dropped
from reconciler.emulator.faults import (
    Absent,
    Action,
    BadRange,
    Bomb,
    Cut,
    Drop,
    Endless,
    Expired,
    FileAction,
    Page,
    Redirect,
    Slow,
    Status,
)
from reconciler.emulator.phase import Phase
from reconciler.emulator.studio import stamped
from reconciler.emulator.world import Stage, Task, Upload, World

CREDENTIALS: Final = ("authorization", "proxy-authorization", "access_token", "cookie", "api-key", "x-api-key", "aikey")
"""Headers that have no business at storage."""

_RANGE: Final = re.compile(r"bytes=([0-9]{0,15})-([0-9]{0,15})")
_MEGABYTE: Final = 1 << 20
_PAGE: Final = b"<!doctype html><title>Sign in</title><p>Please sign in to see this file.</p>"


def create_media(world: World) -> Starlette:
    """The ASGI application of the media origin."""

    async def video(request: Request) -> Response:
        return await _result(world, request, "video/mp4")

    async def frame(request: Request) -> Response:
        return await _result(world, request, "image/png")

    async def upload(request: Request) -> Response:
        return await _upload(world, request)

    return Starlette(
        routes=[
            Route("/v/{task_id}.mp4", video, methods=["GET"]),
            Route("/f/{task_id}.png", frame, methods=["GET"]),
            Route("/u/{id}/{name}", upload, methods=["GET", "PUT"]),
        ]
    )


async def _result(world: World, request: Request, mime: str) -> Response:
    refused = _leak(world, request) or _bad_link(world, request)
    if refused is not None:
        return refused
    task = world.tasks.get(request.path_params["task_id"])
    if task is None or world.stand(task)[0] is not Stage.DONE:
        return _complaint(404, "NoSuchKey")
    fault = _fault(world, task)
    spoiled = _instead(fault)
    if spoiled is not None:
        return spoiled
    if mime == "image/png":
        content = await world.studio.still(task.shape)
    else:
        content = stamped(await world.studio.clip(task.shape), task.id)
    return await _served(request, content, mime, fault)


def _leak(world: World, request: Request) -> Response | None:
    """A refusal where a credential came along; only its header's name is kept."""
    found = [name for name in CREDENTIALS if name in request.headers]
    for name in found:
        world.leaks.append({"path": request.url.path, "header": name})
    return _complaint(400, "InvalidArgument: only one auth mechanism allowed") if found else None


def _bad_link(world: World, request: Request) -> Response | None:
    """A refusal where the link is not ours or past its time."""
    until, token = request.query_params.get("expires", ""), request.query_params.get("token", "")
    if token != world.sign(request.url.path, until):
        return _complaint(403, "SignatureDoesNotMatch")
    return _complaint(403, "AccessDenied: Request has expired") if world.now() >= int(until) else None


def _complaint(status: int, code: str) -> Response:
    body = f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code></Error>'
    return Response(body, status, media_type="application/xml")


def _fault(world: World, task: Task) -> Action | None:
    """What goes wrong with this download: the task's own fate first."""
    picked = world.faults.pick(task.kind, Phase.DOWNLOAD, task.model, task.id)
    return task.fate if isinstance(task.fate, FileAction) else picked


def _instead(fault: Action | None) -> Response | None:
    """The answer of a fault that needs no file."""
    match fault:
        case Expired():
            return _complaint(403, "AccessDenied: Request has expired")
        case Absent():
            return _complaint(404, "NoSuchKey")
        case Status(status=status, text=text):
            return PlainTextResponse(text, status)
        case Drop():
            return Dropped()
        case Redirect(to=to, status=status):
            return RedirectResponse(to, status)
        case Page(empty=empty):
            return Response(b"" if empty else _PAGE, media_type="video/mp4")
    return None


async def _served(request: Request, content: bytes, mime: str, fault: Action | None) -> Response:
    """The file, or what a fault makes of it on the way."""
    match fault:
        case Cut(length=length, percent=percent):
            head = f"Content-Length: {len(content)}\r\n" if length else ""
            lines = f"HTTP/1.1 200 OK\r\nContent-Type: {mime}\r\n{head}Connection: close\r\n\r\n"
            return Dropped(lines.encode() + content[: len(content) * percent // 100])
        case Endless():
            return StreamingResponse(_endless(content), media_type=mime)
        case Slow(every=every):
            size = {"content-length": str(len(content))}
            return StreamingResponse(_slowly(content, every), headers=size, media_type=mime)
        case Bomb(megabytes=megabytes):
            packed = await asyncio.to_thread(_bomb, megabytes)
            return Response(packed, headers={"content-encoding": "gzip"}, media_type=mime)
    return _ranged(request, content, mime, fault if isinstance(fault, BadRange) else None)


def _ranged(request: Request, content: bytes, mime: str, fault: BadRange | None) -> Response:
    """The file or the part that was asked for."""
    changed = fault is not None and fault.how == "changed"
    etag = f'"{hashlib.sha256(content + b"changed" * changed).hexdigest()[:16]}"'
    headers = {"accept-ranges": "bytes", "etag": etag}
    asked = _RANGE.fullmatch(request.headers.get("range", ""))
    same = request.headers.get("if-range", etag) == etag
    if asked is None or not any(asked.groups()) or not same or (fault and fault.how == "ignored"):
        return Response(content, headers=headers, media_type=mime)
    start, end = _span(asked[1], asked[2], len(content))
    if start >= end:
        return Response(status_code=416, headers={"content-range": f"bytes */{len(content)}"})
    if fault and fault.how == "offset":
        start = max(0, start - 1)
    if fault and fault.how == "short":
        end = start + (end - start + 1) // 2
    headers["content-range"] = f"bytes {start}-{end - 1}/{len(content)}"
    return Response(content[start:end], 206, headers, media_type=mime)


def _span(first: str, last: str, size: int) -> tuple[int, int]:
    """From and to (exclusive) of `first-last`, where either may be left out."""
    if not first:
        return max(0, size - int(last)), size
    return int(first), min(size, int(last) + 1) if last else size


async def _endless(content: bytes) -> AsyncIterator[bytes]:
    yield content
    while True:
        yield bytes(_MEGABYTE)
        await asyncio.sleep(0)  # when the client has gone, sending waits for nothing: let others have their turn


async def _slowly(content: bytes, every: float) -> AsyncIterator[bytes]:
    for byte in content:
        yield bytes((byte,))
        await asyncio.sleep(every)


def _bomb(megabytes: int) -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    return b"".join(packer.compress(bytes(_MEGABYTE)) for _ in range(megabytes)) + packer.flush()


async def _upload(world: World, request: Request) -> Response:
    """An upload goes in or comes out."""
    signed = request.method == "PUT" or "token" in request.query_params
    refused = _leak(world, request) or (_bad_link(world, request) if signed else None)
    upload = world.uploads.get(request.path_params["id"])
    if refused is not None or upload is None:
        return refused or _complaint(404, "NoSuchKey")
    phase = Phase.UPLOAD if request.method == "PUT" else Phase.DOWNLOAD
    spoiled = _instead(world.faults.pick(upload.kind, phase, task=upload.id))
    if spoiled is not None:
        return spoiled
    if request.method == "PUT":
        return await _put(world, request, upload)
    if upload.path is None:
        return _complaint(404, "NoSuchKey")
    return _ranged(request, await asyncio.to_thread(upload.path.read_bytes), upload.mime, None)


async def _put(world: World, request: Request, upload: Upload) -> Response:
    """The type is part of what was signed."""
    if request.headers.get("content-type") != upload.mime:
        return _complaint(403, "SignatureDoesNotMatch")
    world.keep(upload, await request.body())
    return Response(status_code=200)
