"""The live gallery: a page on loopback that shows the plan of a watch and sends it the user's clicks.

    guard        token, cookie, Host, Origin, and the security headers of every response
    hub          the state that pages show; used in the server's event loop only
    sse          server-sent events, a queue for each page
    actions      clicks, compared with the plan that the page showed
    media_files  videos, posters and pictures, by content
    routes       the response to each address
    editor       opens the YAML at a line
    server       the thread and its event loop

This package does not change state or outputs (the watch does, under the lock), does not run anything from a project or
a provider's reply, and answers only this user's browser on this machine.
"""
