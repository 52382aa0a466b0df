"""HTTP: the only package that opens connections.

It owns rate limits, retries, classification of answers, link checks, tokens and redaction. It must not decide about
money (the engine does), know a provider's API (the dialects do), keep state per task, or write a secret into the
project. Import it late: it loads httpx.
"""

from reconciler.transport.account import Account, environment_proxy, open_account
from reconciler.transport.channel import Waits
from reconciler.transport.client import HttpTransport
from reconciler.transport.exchange import Timeouts
from reconciler.transport.fetch import Bounds
from reconciler.transport.ports import Environment
from reconciler.transport.redact import Redactor
from reconciler.transport.tokens import cache_folder

__all__ = [
    "Account",
    "Bounds",
    "HttpTransport",
    "Timeouts",
    "Redactor",
    "Waits",
    "Environment",
    "open_account",
    "cache_folder",
    "environment_proxy",
]
