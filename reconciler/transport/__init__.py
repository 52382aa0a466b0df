"""The one door to HTTP: who else opens a connection is wrong.

Here live limits, retries, the classes of answers, the checks of links, the tokens and the redaction. What may not be
done here: decide about money (the engine does), know a vendor (the dialects do), keep anything per task, or write a
secret into the project. Import it late: it brings httpx along.
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
