"""Dialects: what each kind of provider can do, as data, and pure translation to and from its API.

A dialect does no I/O: it turns a `Job` into a `Request` and a `Reply` into an answer. It keeps no state, never sleeps,
never retries and opens no connection. A transport sends; `engine` decides.

    base           the protocol, the types of the catalogue, the unions of answers
    capabilities   protocols of what only some vendors have: a list, a cancel, an upload, a balance, a token
    registry       from a kind to its dialect
    catalogue      the models of a kind, from its `models.yaml` and a project's `models:`
    settings       what a project's YAML may override; `settings_help` lists it for `clipform explain`
    check          a clip checked against a catalogue: `resolve`; its rules are in `rules`, their wording in `phrases`
    search         the models that can do a shot
    limits         preflight of input files
    media_routes   how a local file reaches a provider
    replies        safe reading of untrusted replies; `error_codes` turns vendors' codes into answers
    http_dialect   what all dialects over HTTP share
    ark, …         one folder a kind: `dialect.py` translates, `models.yaml` is its catalogue

A new kind is a folder with a class that takes settings and a `models.yaml`, a row in `registry.BUILT_IN` (in another
package: an entry point), and a folder of hand-written data in `tests/providers`, which the contract suite picks up.
"""
