"""The spec language: from YAML texts to a `Project` of resolved clips.

Pure: no files, network, clock or randomness. The caller passes the files in (`files.Files`) and gets either a `Project`
or all diagnostics. This package does not know the limits or kinds of providers (the catalogue does), does not touch the
disk and does not guess YAML types.

In order of processing:

- `reader`     bytes → nodes with places; limits; no types
- `shape`      validates nodes against `model`; `field_types` and `scalars` parse the text of a field; `values` are its
  results
- `interpolate` resolves `${…}`, and bounds the resulting text
- `matrix`, `rows`, `looks`, `expand`, `paths`  declarations → clips with outputs
- `relations`  checks between clips
- `overlay`    an environment's file and variables of the command line, over the project
- `sections`   providers, budget, stores
- `load`       all of it: `read_project`
- `layout`     formats a file
- `memo`       remembers the results of the steps, for a long-running process
- `schema`     the models as JSON Schema and as the text of `explain`
- `edit`       changes one number in a file

Rules for authors of specs: a field replaces the default's whole value, lists and maps too; an included file's vars and
defaults apply to its own clips, over the project's; a variable can use those above it; an empty value is an error, an
empty map or list is not; the text of `prompt` is in NFC without surrounding blanks.
"""
