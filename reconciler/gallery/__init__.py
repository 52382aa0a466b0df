"""The gallery: one page with two homes, the live one on loopback and the report that opens from disk.

document  the values that the page shows: every clip as a card, and the detail of one clip
page      the page itself: HTML, CSS and JavaScript
server    the live gallery
report    the gallery as files, and contact sheets
"""
