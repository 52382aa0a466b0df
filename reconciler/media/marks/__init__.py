"""Marks in copies of videos: tags, a visible label, a signature. The original is only read."""
