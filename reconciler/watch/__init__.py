"""The editing loop: plan, show, do what is free, ask about everything else, wait, plan again.

    decide         returns the next thing to do; pure
    loop           plans and acts
    wait           waits for saved files, keys, clicks and signals
    file_listener  reports saved files, from a thread
    watched_paths  the paths to listen to, and those to ignore
    page_requests  the clicks of a page, which is one more keyboard
    display        the terminal and the page, as one screen
    status_loop    `status --watch`

A file event only means "plan again". Everything is read again, so a lost or doubled event costs at most one plan. This
package does not pay for anything that the options, a key or a click did not allow, does not hold the state while it
waits, and does not take clipform's own writes for edits.
"""

from reconciler.watch.decide import Allowance
from reconciler.watch.loop import Watch, WatchContext
from reconciler.watch.page_requests import PageRequests

__all__ = ["Allowance", "PageRequests", "Watch", "WatchContext"]
