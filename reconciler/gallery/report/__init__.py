"""The report: the gallery written as files that open from disk, and contact sheets.

It reads the project and its state as `plan` does and writes into the report's folder alone (and into the cache of
pictures). What may not be done here: changing state or outputs, asking a provider, and touching a file in the report's
folder that no report wrote.
"""
