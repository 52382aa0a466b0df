"""The context of a command: its view, its project, the clock and prompts."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.cli.options import Options
from reconciler.clock import SystemClock
from reconciler.diagnostics import ClipformError, Refused, UsageError
from reconciler.seal import begin

if TYPE_CHECKING:
    from reconciler import Plan, Program
    from reconciler.api.access import Access
    from reconciler.plan.model import Demand
    from reconciler.project.workspace import Workspace
    from reconciler.spec.project import ProjectOverlay
    from reconciler.views.base import View


class Context:
    """One invocation. Everything is created on first use."""

    def __init__(self, options: Options, line: Sequence[str] | None = None) -> None:
        """`line`: the arguments of the process, if they may be answered from a seal the next time."""
        self.options, self.line = options, line
        if line is not None:
            begin()
        self._printed: list[tuple[int, str]] = []
        self.clock = SystemClock()

    @cached_property
    def view(self) -> View:
        """The view that the options select."""
        options = self.options
        if options.json:
            from reconciler.views.ndjson import JsonView

            return JsonView(sys.stdout)
        from reconciler.views.terminal.view import HumanView

        now = self.clock.monotonic
        view = HumanView(sys.stdout, sys.stderr, no_color=options.no_color, now=now, volume=options.volume)
        if self.line is not None:
            view.printed = self._printed
        return view

    def seal(self, elapsed: float = 0.0) -> None:
        """Keep what was printed, and the facts that it rests on, for the same command; see `seal`. `elapsed`: the time
        that the output names, which an answer from the seal does not take."""
        if self.line is not None and self._printed and not self.workspace.shares_state:  # others change that one
            from reconciler.seal.keep import keep
            from reconciler.views.format import seconds

            timed = f" in {seconds(elapsed)}."
            printed = [(number, text.replace(timed, f" in {seconds(0)}.")) for number, text in self._printed]
            keep(self.line, self.workspace, printed)

    def close(self) -> None:
        """Restore the terminal, if it was changed."""
        if "view" in self.__dict__:
            self.view.close()

    @property
    def directory(self) -> Path:
        """The folder to work in, absolute. Raises ClipformError if it does not exist."""
        folder = Path(self.options.directory or os.curdir)
        if not folder.is_dir():
            raise ClipformError(f"{folder} is not a folder", code="no-folder")
        return Path(os.path.realpath(folder))

    def shown_path(self, path: Path) -> str:
        """Return a path as the user would write it: relative to `directory` if that is shorter."""
        return min((os.path.relpath(path, self.directory), str(path)), key=len)

    @property
    def env(self) -> Mapping[str, str]:
        """The variables of the process."""
        return os.environ

    @cached_property
    def access(self) -> Access:
        """The project, for all calls of this command. Raises ClipformError if the folder is not in one."""
        from reconciler.api.access import Access
        from reconciler.api.program import Program

        project = Program.find(self.directory, self.clock, os.environ, self.options.overlay)
        return Access(project.workspace(), ask=self._ask_trust, view=lambda: self.view)

    @property
    def workspace(self) -> Workspace:
        """What this command reads of the project."""
        return self.access.workspace

    @property
    def project(self) -> Program:
        """The calls that a command is written on."""
        from reconciler.api.program import Program

        return Program(self.workspace.root, self.clock, self.env, self.options.overlay, self.access)

    def use_overlay(self, overlay: ProjectOverlay) -> None:
        """Read the project as a saved plan did. Raises UsageError if the command line says otherwise."""
        if self.options.overlay not in (type(overlay)(), overlay):
            given = " ".join(overlay.options()) or "neither --env nor --var"
            raise UsageError(f"this plan was made with {given}", help="leave out --env and --var: the plan has them")
        self.options = replace(self.options, overlay=overlay)
        self.__dict__.pop("access", None)

    @property
    def keyboard(self) -> int | None:
        """The descriptor to read keys from; None unless stdin is a terminal with this process in the foreground."""
        with contextlib.suppress(OSError, ValueError):  # closed, or without a descriptor
            stdin = sys.stdin.fileno()
            if os.isatty(stdin) and os.tcgetpgrp(stdin) == os.getpgrp():
                return stdin
        return None

    def confirm(self, plan: Plan, *, yes: bool, question: str, in_full: bool = False) -> None:
        """Show a plan and ask for confirmation; a plan that costs nothing needs no whole word, unless `in_full`.

        Raises Refused if the answer is not yes or input is not a terminal.
        """
        if not self.options.json:
            self.view.plan(plan)
        if plan.has_changes() and not yes:
            from reconciler.views.format import heavy_line

            question = f"{heavy_line(plan)}{question}"
            self._ask(question, free=not (in_full or plan.total() or plan.unpriced()))

    def ask(self, lines: Iterable[str], *, yes: bool, question: str) -> None:
        """Show lines and ask for confirmation, for a command without a plan. Raises Refused as `confirm`."""
        if not self.options.json:
            self.view.note("\n".join(lines))
        if not yes:
            self._ask(question)

    def choose(self, question: str, choices: Mapping[str, str], answer: str | None) -> str:
        """Return one of `choices` (each with its meaning): the given answer, else what a person says on a terminal,
        who is asked once more after a wrong answer, else the first. Raises UsageError for any other answer."""
        default = next(iter(choices))
        if answer is None and self._has_terminal():
            from reconciler.cli.question import chosen

            self.view.note("\n".join([question, *(f"- {name}: {meaning}" for name, meaning in choices.items())]))
            answer = chosen(choices, default)
        if (answer or default) not in choices:
            raise UsageError(f"'{answer}' is not one of {', '.join(choices)}")
        return answer or default

    def require_trust(self, *, trust: bool = False, ask: bool = True, aliases: Iterable[str] = ()) -> None:
        """As `Access.require_trust`; `trust` answers yes."""
        self.access.trusts |= trust
        self.access.require_trust(ask=ask, aliases=aliases)

    def _ask_trust(self, demands: Sequence[Demand]) -> None:
        if not self._has_terminal():
            from reconciler.api.trust_memory import untrusted

            untrusted(demands)
        self.view.note("\n".join(["This project asks for", *(f"- {demand}" for demand in demands)]))
        self._ask("Trust it with that?", no="not trusted; nothing was sent")

    def require_trust_to_start(self, *, draft: bool, trust: bool) -> None:
        """Ask as `require_trust` before a watch, which can begin with a broken project: `connect` asks about that one.

        Drafts send nothing.
        """
        try:
            if not draft:
                self.require_trust(trust=trust)
        except Refused:
            raise
        except ClipformError:
            return  # the watch shows it

    def _has_terminal(self) -> bool:
        return not self.options.json and sys.stdin.isatty()

    def _ask(self, question: str, no: str = "not confirmed; nothing was done", *, free: bool = False) -> None:
        if not self._has_terminal():
            raise Refused("confirmation needed, but input is not a terminal", help="add --yes", code="unconfirmed")
        from reconciler.cli.question import agrees

        if not agrees(question, free=free):
            raise Refused(no, code="unconfirmed")
