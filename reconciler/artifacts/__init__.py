"""Files that clipform writes: the content-addressed store, placing at outputs, and the hashing of inputs.

Three rules (never-pay-twice#s4): a file is whole or absent; data is durable before anything refers to it; a file that
is not ours is never changed unless the user asks for it. Every path below a root is opened folder by folder through
descriptors that refuse symbolic links, so a link that is created between a check and its use has no effect.

Not allowed here: hard links from the store to outputs (an edit of an output in place would change the object and every
other output of it), decisions about which file belongs where, knowledge of the database. Errors of the operating system
become `ArtifactError`.
"""
