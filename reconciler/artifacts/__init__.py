"""Files that we made: the content-addressed store, their placing at outputs, and the hashing of inputs.

Three rules (RELIABILITY §4): a file is whole or absent; data is durable before anything refers to it; a file that is
not ours is never changed unasked. Every path below a root is walked folder by folder through handles that refuse
symbolic links, so that a link put in place between a check and its use leads nowhere.

What may not be done here: hard links from the store to outputs (an output that is edited in place would change the
object and every other output of it), deciding what should be where, knowing the database. Errors of the operating
system end here as `ArtifactError`.
"""
