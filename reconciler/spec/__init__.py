"""The spec language: YAML text in, a `Project` of resolved clips out.

Pure: no files, network, clock or randomness. Whoever reads the files passes them in (`files.Files`), and gets either a
`Project` or all diagnostics of the run. What may not be done here: knowing a provider's limits or kinds (that is the
catalogue's), touching disk, guessing YAML types.

In the order of the work:

- `reader`     bytes → nodes with places; limits; nothing typed
- `shape`      nodes against `model`, the one family of models; `scalars` says what a text means in a field
- `interpolate` `${…}`, and how much text it may all come to
- `matrix`, `expand`, `paths`  declarations → clips with outputs
- `relations`  what only shows between clips
- `sections`   providers, budget, stores
- `load`       all of it: `read_project`
- `memo`       what the steps answered the last time, for a process that lives on
- `schema`     the models as JSON Schema and as the text of `explain`
- `edit`       one number changed in place

Decisions that the files' author meets: a field replaces the default's whole value, lists and maps too; an included
file's vars and defaults are for its own clips, over the project's; a variable may use those above it; an empty value
is an error, an empty map or list is not; the text of `prompt` is in NFC without blanks around it.
"""
