"""Requests that may have been accepted: match them with the provider's list of tasks, and settle what the list proves.

What may not be done here: sending a submit. A possible match is never passed over, and silence alone proves nothing.
"""
