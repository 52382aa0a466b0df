"""The documents that the gallery shows: every clip as a card, and the detail of one clip.

Pure functions of a plan and of what it rests on. All texts are raw: the page writes them as text and as nothing else.
What may not be done here: reading a disk or a clock, and writing HTML.
"""
