"""The values that the gallery page shows: a card for every clip, and the full detail of one clip.

    model       the dataclasses, and their encoding as JSON
    index       a plan, indexed by what a card looks up
    cards       the Document and its cards
    detail      the Detail of one clip
    media       videos and input pictures that the page may load
    comparison  differences from a git revision or from a saved plan
    export      the Document and all Details as the script of a report

Pure functions of a plan: no module here reads a disk or a clock, or writes HTML. All texts are raw; the page inserts
them as text only.
"""
