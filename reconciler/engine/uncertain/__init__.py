"""Uncertain requests, which may have been accepted: match them with the provider's list, and settle what it proves.

Not allowed here: sending a submit. A possible match is never passed over; a missing answer alone proves nothing.
"""
