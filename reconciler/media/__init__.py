"""Video and pictures: checks them, extracts frames, and draws drafts.

PyAV and Pillow are imported only in modules that are imported when pixels are needed, and their errors become
`MediaError`. Nothing here knows clips, plans or state; nothing here opens a network connection. In the caller's process
only headers of outside files are read (`headers`, `mp4`): types, sizes, lengths. Their pictures and sound are decoded
in worker processes (`worker_pool`).
"""
