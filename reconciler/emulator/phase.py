"""The types of request to a vendor."""

from __future__ import annotations

from enum import StrEnum


class Phase(StrEnum):
    """The type of a request; a fault rule applies to one of them."""

    SUBMIT = "submit"
    POLL = "poll"
    LIST = "list"
    CANCEL = "cancel"
    DOWNLOAD = "download"
    UPLOAD = "upload"
    TOKEN = "token"
    BALANCE = "balance"
