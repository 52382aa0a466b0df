"""The MCP server, by the official SDK: `tools` under the names that an agent sees."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import ParamSpec

from mcp.server import MCPServer
from mcp.server.mcpserver import Image
from mcp.types import ToolAnnotations

import reconciler
from reconciler.agents import tools
from reconciler.api.program import Program
from reconciler.diagnostics import ClipformError
from reconciler.views import encode

P = ParamSpec("P")

INSTRUCTIONS = (
    "clipform makes AI video clips that are declared in YAML files, and pays for each one once. "
    "Everything here is free but `apply`, which carries out only a plan that a person has approved: make one with "
    "`plan`, show the person its cost, and pass on the command that approves it. "
    "Edit the YAML files yourself, then call `validate` and `plan`. " + tools.DATA
)
_FREE = ToolAnnotations(read_only_hint=True, open_world_hint=False)
_PAID = ToolAnnotations(destructive_hint=False, idempotent_hint=True, open_world_hint=True)


def server(program: Program) -> MCPServer:
    """Return the server of a project."""
    mcp = MCPServer("clipform", instructions=INSTRUCTIONS, version=reconciler.__version__, log_level="WARNING")
    offered = _Tools(program)
    for name in [name for name in vars(_Tools) if not name.startswith("_")]:
        mcp.add_tool(getattr(offered, name), annotations=_PAID if name == "apply" else _FREE)
    return mcp


class _Tools:
    """The tools under the names that an agent sees; their docstrings are what it reads."""

    def __init__(self, program: Program) -> None:
        self._program = program

    async def validate(self) -> str:
        """Check the project's files: every mistake with its file and line."""
        return await self._answered(tools.validate, self._program)

    async def plan(self, clips: list[str] | None = None, exclude: list[str] | None = None, draft: bool = False) -> str:
        """Show what apply would do and why, field by field, with the price. Names, globs, tag:NAME, is:changed …"""
        return await self._answered(tools.plan, self._program, clips or [], exclude or [], draft)

    async def status(self, clips: list[str] | None = None, draft: bool = False) -> str:
        """Show the state, cost and output of each clip."""
        return await self._answered(tools.status, self._program, clips or [], draft)

    async def show(self, clip: str, draft: bool = False) -> str:
        """Show all that is known of one clip."""
        return await self._answered(partial(self._program.show, draft=draft), clip)

    async def history(self, clip: str = "", limit: int = 100) -> str:
        """Show what happened, oldest first, to one clip or to all."""
        return await self._answered(tools.history, self._program, clip, limit)

    async def cost(self, by: str = "clip") -> str:
        """Show what was paid, by clip, tag, day, month, provider, model or person."""
        return await self._answered(tools.cost, self._program, by)

    async def inspect(self, path: str) -> str:
        """Say which clip a video file in the project is, by its bytes or its pictures."""
        return await self._answered(tools.inspect, self._program, path)

    async def models(
        self, kind: str = "", model: str = "", duration: int = 0, resolution: str = "", mode: str = ""
    ) -> str:
        """List the models of all kinds of provider with their limits, or those that can make a given shot."""
        return await self._answered(tools.models, kind, model, duration, resolution, mode)

    async def explain(self, field: str = "") -> str:
        """Explain a field of the YAML files; without one, list all."""
        return await self._answered(tools.explain, field)

    async def picture(self, clip: str, take: int = 0) -> Image | str:
        """Show a picture of a take that has its video; take 0 is the picked one."""
        try:
            return Image(data=await asyncio.to_thread(self._program.poster, clip, take or None), format="jpeg")
        except ClipformError as error:
            return tools.answer(encode.error(error))

    async def apply(self, plan_digest: str) -> str:
        """Carry out a plan that a person has approved, by the digest that `plan` gave. It costs what the plan says."""
        return await self._answered(tools.apply, self._program, plan_digest)

    async def _answered(self, tool: Callable[P, tools.Document], *args: P.args, **kwargs: P.kwargs) -> str:
        return await asyncio.to_thread(tools.said(tool), *args, **kwargs)
