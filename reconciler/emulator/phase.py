"""The kinds of request that the emulator knows; faults are matched by them."""

from __future__ import annotations

from enum import StrEnum


class Phase(StrEnum):
    """What sort of request it is; faults are matched by it."""

    SUBMIT = "submit"
    POLL = "poll"
    LIST = "list"
    CANCEL = "cancel"
    DOWNLOAD = "download"
    UPLOAD = "upload"
    TOKEN = "token"
    BALANCE = "balance"
