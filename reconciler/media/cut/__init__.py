"""Renders a cut: pieces of one form, joined without encoding them again, under one sound track.

    survey   what a video is made of, and what of it a cut can take
    pieces   one piece of a cut, in the form of all its pieces
    titles   the frame of a title
    subtitles  captions over frames, and as a track
    sounds   the sound of files
    mix      the sound of the film
    stretches  its encoding, of which only what changed is done again
    desk     levels, fades, ducking, loudness
    join     pieces and sound into one file

To be called in a worker: it decodes bytes from outside. Times are whole frames of the cut. Only values are exchanged.
"""
