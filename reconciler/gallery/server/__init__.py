"""The live gallery: a page on loopback that shows what a watch sees, and asks the watch for what is clicked.

    guard     who may ask: token, cookie, Host, Origin, and the headers of every answer
    hub       what the pages show; in the server's loop only
    stream    server-sent events, a queue for each page
    desk      what is clicked, held against what was on the page
    library   videos, posters and pictures, by content
    editor    the YAML at its line
    live      the thread, and the way into it

What may not be done here: changing state or outputs (the watch does, under the lock), running what a file or a server
said, and answering anybody but this user's browser on this machine.
"""

from reconciler.gallery.server.server import Gallery

__all__ = ["Gallery"]
