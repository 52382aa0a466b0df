"""Dialects: what each kind of provider can do, as data, and pure translation to and from its words.

A dialect does no I/O: it turns a `Job` into a `Request` and a `Reply` into an answer. It keeps no state, never sleeps,
never retries, opens no connection. Sending belongs to a transport, deciding to `engine`.

    base       the protocol, the types of the catalogue, the unions of answers
    abilities  what only some vendors have: a list, a cancel, an upload, a balance, a token
    registry   from a kind to its dialect
    settings   what a project's YAML may override
    check      a clip held to a catalogue: `resolve`; its rules stand in `rules`, the spelling of values in `wording`
    limits     preflight of input files
    reading    sound values from hostile replies; tables of error codes stand in `refusals`
    remote     what all dialects over HTTP share
    …          one file a kind, some with their catalogue in `…_models`

A new kind is one file with a `create(settings)`, a row in `registry.BUILT_IN` (another package: an entry point), and a
folder of hand-written data in `tests/providers`, which the contract suite picks up.
"""
