"""The spec language: YAML text in, a `Project` of resolved clips out.

Pure: no files, network, clock or randomness. Whoever reads the files passes their text in, and gets either a
`Project` or all diagnostics of the run. What may not be done here: knowing a provider's limits (that is the
catalogue's), touching disk, guessing YAML types.
"""
