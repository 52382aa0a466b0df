"""HTTP: the only package that opens connections.

It owns rate limits, retries, classification of answers, link checks, tokens and redaction. It must not decide about
money (the engine does), know a provider's API (the dialects do), keep state per task, or write a secret into the
project. Import it late: it loads httpx.
"""
