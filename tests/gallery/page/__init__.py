"""The gallery's page in a real browser: against scripted documents, against `clipform ui`, and from disk.

`server` speaks the live side of the page with documents that a test writes; `values` makes those documents, `reel`
their videos. Pictures of what was seen are kept in `tests/.output/gallery`.
"""
