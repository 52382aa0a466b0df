"""The draft renderer: from a scene to an animatic.

`scene`, `camera` and `timeline` are pure and decide; `pictures`, `card`, `placeholder` and `caption` draw with
Pillow; `stage` moves what was drawn; `render` encodes. The same scene gives the same bytes on one build of the
codecs, so nothing here may read the clock, the environment or unseeded randomness.
"""
