"""Serve the media origin: results and uploads behind signed links, on a port of its own.

    GET /v/<task>.mp4, /f/<task>.png     with the link's `expires` and `token`: 403 if it is expired or forged
    GET /u/<id>/<name>                   an upload; the same with a token, public without one
    PUT /u/<id>/<name>                   into an upload slot, with exactly the slot's content type (else 403)

A request with a credential is refused with 400, as storage with signed links does, and the leak is recorded.
Ranges are answered with a strong ETag, and `If-Range` is honoured.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import zlib
from collections.abc import AsyncIterator
from functools import partial
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from reconciler.emulator import faults
from reconciler.emulator.api import Dropped
from reconciler.emulator.studio import stamped
from reconciler.emulator.world import Stage, Task, Upload, World

CREDENTIALS: Final = ("authorization", "proxy-authorization", "access_token", "cookie", "api-key", "x-api-key", "aikey")
"""Headers that must not be sent to storage."""

_RANGE: Final = re.compile(r"bytes=([0-9]{0,15})-([0-9]{0,15})")
_MEGABYTE: Final = 1 << 20
_PAGE: Final = b"<!doctype html><title>Sign in</title><p>Please sign in to see this file.</p>"


def create_media(world: World) -> Starlette:
    """Return the ASGI application of the media origin."""
    return Starlette(
        routes=[
            Route("/v/{task_id}.mp4", partial(_result, world, mime="video/mp4"), methods=["GET"]),
            Route("/f/{task_id}.png", partial(_result, world, mime="image/png"), methods=["GET"]),
            Route("/u/{id}/{name}", partial(_upload, world), methods=["GET", "PUT"]),
        ]
    )


async def _result(world: World, request: Request, mime: str) -> Response:
    refused = _leak(world, request) or _bad_link(world, request)
    if refused is not None:
        return refused
    task = world.tasks.get(request.path_params["task_id"])
    if task is None or world.progress(task)[0] is not Stage.DONE:
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
    """Refuse a request with a credential; only the name of its header is recorded."""
    leaked = [name for name in CREDENTIALS if name in request.headers]
    for name in leaked:
        world.leaks.append({"path": request.url.path, "header": name})
    return _complaint(400, "InvalidArgument: only one auth mechanism allowed") if leaked else None


def _bad_link(world: World, request: Request) -> Response | None:
    """Refuse a link that is forged or expired."""
    until, token = request.query_params.get("expires", ""), request.query_params.get("token", "")
    if token != world.sign(request.url.path, until):
        return _complaint(403, "SignatureDoesNotMatch")
    return _complaint(403, "AccessDenied: Request has expired") if world.now() >= int(until) else None


def _complaint(status: int, code: str) -> Response:
    body = f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code></Error>'
    return Response(body, status, media_type="application/xml")


def _fault(world: World, task: Task) -> faults.Action | None:
    """Return the fault of this download: the task's own first."""
    picked = world.faults.pick(task.kind, faults.Phase.DOWNLOAD, task.model, task.id)
    return task.fate if isinstance(task.fate, faults.FileAction) else picked


def _instead(fault: faults.Action | None) -> Response | None:
    """Return the answer of a fault that needs no file."""
    match fault:
        case faults.Expired():
            return _complaint(403, "AccessDenied: Request has expired")
        case faults.Absent():
            return _complaint(404, "NoSuchKey")
        case faults.Status(status=status, text=text):
            return PlainTextResponse(text, status)
        case faults.Drop():
            return Dropped()
        case faults.Redirect(to=to, status=status):
            return RedirectResponse(to, status)
        case faults.Page(empty=empty):
            return Response(b"" if empty else _PAGE, media_type="video/mp4")
    return None


async def _served(request: Request, content: bytes, mime: str, fault: faults.Action | None) -> Response:
    """Return the file, or what a fault makes of it."""
    match fault:
        case faults.Cut(length=length, percent=percent):
            head = f"Content-Length: {len(content)}\r\n" if length else ""
            lines = f"HTTP/1.1 200 OK\r\nContent-Type: {mime}\r\n{head}Connection: close\r\n\r\n"
            return Dropped(lines.encode() + content[: len(content) * percent // 100])
        case faults.Endless():
            return StreamingResponse(_endless(content), media_type=mime)
        case faults.Slow(every=every):
            size = {"content-length": str(len(content))}
            return StreamingResponse(_slowly(content, every), headers=size, media_type=mime)
        case faults.Bomb(megabytes=megabytes):
            packed = await asyncio.to_thread(_bomb, megabytes)
            return Response(packed, headers={"content-encoding": "gzip"}, media_type=mime)
    return _ranged(request, content, mime, fault if isinstance(fault, faults.BadRange) else None)


def _ranged(request: Request, content: bytes, mime: str, fault: faults.BadRange | None) -> Response:
    """Return the file, or the requested range of it."""
    changed = fault is not None and fault.how == "changed"
    etag = f'"{hashlib.sha256(content + b"changed" * changed).hexdigest()[:16]}"'
    headers = {"accept-ranges": "bytes", "etag": etag}
    range = _RANGE.fullmatch(request.headers.get("range", ""))
    same = request.headers.get("if-range", etag) == etag
    if range is None or not any(range.groups()) or not same or (fault and fault.how == "ignored"):
        return Response(content, headers=headers, media_type=mime)
    start, end = _span(range[1], range[2], len(content))
    if start >= end:
        return Response(status_code=416, headers={"content-range": f"bytes */{len(content)}"})
    if fault and fault.how == "offset":
        start = max(0, start - 1)
    if fault and fault.how == "short":
        end = start + (end - start + 1) // 2
    headers["content-range"] = f"bytes {start}-{end - 1}/{len(content)}"
    return Response(content[start:end], 206, headers, media_type=mime)


def _span(first: str, last: str, size: int) -> tuple[int, int]:
    """Return start and end (exclusive) of a range `first-last`, of which either may be empty."""
    if not first:
        return max(0, size - int(last)), size
    return int(first), min(size, int(last) + 1) if last else size


async def _endless(content: bytes) -> AsyncIterator[bytes]:
    yield content
    while True:
        yield bytes(_MEGABYTE)
        await asyncio.sleep(0)  # sending to a client that has gone does not wait: yield to other tasks


async def _slowly(content: bytes, every: float) -> AsyncIterator[bytes]:
    for byte in content:
        yield bytes((byte,))
        await asyncio.sleep(every)


def _bomb(megabytes: int) -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    return b"".join(packer.compress(bytes(_MEGABYTE)) for _ in range(megabytes)) + packer.flush()


async def _upload(world: World, request: Request) -> Response:
    """Accept or serve an upload."""
    signed = request.method == "PUT" or "token" in request.query_params
    refused = _leak(world, request) or (_bad_link(world, request) if signed else None)
    upload = world.uploads.get(request.path_params["id"])
    if refused is not None or upload is None:
        return refused or _complaint(404, "NoSuchKey")
    phase = faults.Phase.UPLOAD if request.method == "PUT" else faults.Phase.DOWNLOAD
    spoiled = _instead(world.faults.pick(upload.kind, phase, task=upload.id))
    if spoiled is not None:
        return spoiled
    if request.method == "PUT":
        return await _put(world, request, upload)
    if upload.path is None:
        return _complaint(404, "NoSuchKey")
    return _ranged(request, await asyncio.to_thread(upload.path.read_bytes), upload.mime, None)


async def _put(world: World, request: Request, upload: Upload) -> Response:
    """Store an upload; its content type is part of the signature."""
    if request.headers.get("content-type") != upload.mime:
        return _complaint(403, "SignatureDoesNotMatch")
    world.store_upload(upload, await request.body())
    return Response(status_code=200)
