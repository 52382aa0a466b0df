"""Rendering: one View protocol for all commands, human and JSON. Nothing is decided here and nothing is read or written
but the two streams: results on stdout, talk on stderr."""
