"""The editing loop: look, show, do what is free, ask for the rest, wait, look again.

`decide` says what to do next and is pure. `ears` waits for files, keys, clicks and signals. `loop` looks and acts.
A page is one more keyboard (`clicks`) and one more screen (`screen`).

A file's event carries no news but "look again": everything is read anew, so a lost or a doubled event costs a look and
nothing else. What may not be done here: paying for anything that the terms or a key did not allow, holding the
state while waiting, and taking our own writes for the user's.
"""

from reconciler.watch.decide import Allowance
from reconciler.watch.loop import Watch, WatchContext
from reconciler.watch.page_requests import Clicks

__all__ = ["Clicks", "WatchContext", "Allowance", "Watch"]
