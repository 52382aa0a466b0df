"""The draft renderer: turns a scene into an animatic.

`scene`, `camera` and `timeline` are pure and decide; `pictures`, `card`, `placeholder` and `caption` draw with Pillow;
`stage` moves the drawings; `render` encodes. The same scene gives the same bytes on one build of the codecs, so this
package must not read the clock, the environment or unseeded randomness.
"""
