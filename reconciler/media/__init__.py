"""Video and pictures: checking them, taking frames out of them, and drawing drafts.

PyAV and Pillow are imported only in modules that are themselves imported when pixels are needed, and their errors
leave here as `MediaError`. Nothing here knows clips, plans or state; nothing here opens a network connection, and
what decodes bytes from outside runs in `farm`'s worker processes, never in the caller's.
"""
