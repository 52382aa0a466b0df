"""Connections to providers: for a run, for one command, and the local draft renderer behind the same port.

What may not be done here: deciding what is sent, and sending an API key to an address that neither the project names
nor the attempt was bought at.
"""
