"""The gallery: one page, served live on loopback or written as a report that opens from disk.

document  the values that the page shows: a card for every clip, and the detail of one clip
page      the page itself: HTML, CSS and JavaScript
server    the live gallery
report    the gallery as files, and contact sheets
"""
