"""Connections to providers: for a run, for one command, and the local draft renderer behind the same port.

Not allowed here: deciding what is sent, and sending an API key to an address that neither the project nor the
attempt's record names.
"""
