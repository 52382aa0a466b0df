"""A worker that is struck at a named point of a purchase: it kills or freezes itself, as an operator would."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from reconciler.__main__ import main
from reconciler.state.leases import SharedStore
from reconciler.state.receipts import Receipts

WORD = "CLIPFORM_TEST_STRUCK"
"""A variable with the name of a FIFO that is written to before the strike."""
COUNT = "CLIPFORM_TEST_STRUCK_AT"
"""A variable with the number of the purchase in which it is struck; by default it is the third."""


def frozen_before_it_sends() -> None:
    """Stop between the commit of an intent and its permit, until SIGCONT comes."""
    _strike(SharedStore, "begin", signal.SIGSTOP, after=True)
    main()


def killed_before_it_records() -> None:
    """Die between the vendor's answer and the first record of it."""
    _strike(Receipts, "accepted", signal.SIGKILL, after=False)
    main()


def _strike(owner: Any, name: str, number: int, *, after: bool) -> None:
    original: Callable[..., object] = getattr(owner, name)
    calls: list[None] = []
    last = int(os.environ.get(COUNT, "3"))

    def struck(self: object, *about: object) -> object:
        calls.append(None)
        if len(calls) == last and not after:
            _now(number)
        answer = original(self, *about)
        if len(calls) == last and after:
            _now(number)
        return answer

    setattr(owner, name, struck)


def _now(number: int) -> None:
    Path(os.environ[WORD]).write_text("struck")
    os.kill(os.getpid(), number)
