"""Show results to people and programs: one View protocol for all commands, as terminal text, JSON and Markdown.

Views decide nothing and write to two streams only: results to stdout, messages to stderr.
"""
