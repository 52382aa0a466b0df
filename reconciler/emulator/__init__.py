"""A local server that stands in for the vendors: it speaks every dialect, takes tasks, and hands out real mp4 files.

What may not be done here: import the translation code of `providers` (the dialects, what they read and what they
check). The emulator was written from the vendors' pages and shares only the catalogue's data, so that a mistake of
the client shows here instead of being repeated. What the pages leave open and had to be decided is said in the
docstring of each vendor's module.

From the ground up:

    wire        what is asked and answered, as values         shapes      the clip that a request asks for
    faults      the table of faults                           checks      is this body what the page says?
    rulebook    the file that asks for them
    ledger      every task that was taken, and its price      rules       does the catalogue's line take it?
    studio      makes the clips                               world       tasks, links, uploads: all that is remembered
    vendor      what all vendors share                        jiekou, jimmyai, chanjing, uniall, ark: one vendor each
    tamper      carries out faults on answers                 api, media  the two origins
    server      sockets and signals                           welcome     what the command prints
    process     the server as a child process, for tests and benchmarks
"""
