"""The live gallery: a page on loopback that shows what a watch sees, and asks the watch for what is clicked.

    guard        who may ask: token, cookie, Host, Origin, and the headers of every answer
    hub          what the pages show; in the server's loop only
    sse          server-sent events, a queue for each page
    actions      clicks, compared with what was on the page
    media_files  videos, posters and pictures, by content
    routes       what each address answers
    editor       opens the YAML at its line
    server       the thread and its event loop

What may not be done here: changing state or outputs (the watch does, under the lock), running what a file or a server
said, and answering anybody but this user's browser on this machine.
"""

from reconciler.gallery.server.server import Gallery

__all__ = ["Gallery"]
