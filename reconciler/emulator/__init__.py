"""A local server that emulates the vendors: it speaks every dialect, accepts tasks, and serves real mp4 files.

No module may import the translation code of `providers` (dialects, replies, checks). The emulator is written from the
vendors' pages and shares only the catalogue's data, so that it shows a mistake of the client instead of repeating it.
The docstring of each vendor's module lists the decisions on points that the pages leave open.

Bottom up:

    faults      the table of faults                           shapes      the clip that a request asks for
    exchange    a request and its answer, as values           checks      a body against the page's table
    rulebook    the file that requests faults
    ledger      every accepted task, and its price            rules       a request against the catalogue
    studio      renders the clips                             world       the state: tasks, links, uploads
    vendor      the base of all vendors                       jiekou, jimmyai, chanjing, uniall, ark: one vendor each
    tamper      applies faults to answers                     api, media  the two origins
    server      sockets and signals                           welcome     the text that the command prints
"""
