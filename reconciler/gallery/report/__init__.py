"""The report: the gallery as files that open from disk, and contact sheets.

It reads the project and its state like `plan`, and writes only into the report's folder and the cache of pictures. It
does not change state or outputs, send a request to a provider, or touch a file that no report wrote.
"""
