"""Dialects: what each kind of provider can do, as data, and pure translation to and from its words.

One file a kind. A dialect does no I/O: it turns a `Job` into a `Request` and a `Reply` into an `Answer`. It keeps
no state, never sleeps, never retries, opens no connection. Sending belongs to a transport, deciding to `engine`.
"""
