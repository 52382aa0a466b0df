"""The gallery: one page with two homes, the live one on loopback and the report that opens from disk.

Here are the page's assets, and the values that it shows: the Document (every clip a card) and the Detail of one clip.
Both are pure functions of what a plan rests on. All texts are raw: the page writes them as text and as nothing else.

What may not be done here: reading a disk or a clock, and writing HTML from anything that a file or a server said.
"""
