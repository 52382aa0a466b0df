"""Acting: carries out a plan against providers, the store and the disk.

`steps` decides what an attempt needs next (pure), `driver` does it. The engine reacts to what the records say, not to
what just happened: after every effect it reads the record again, so that a run that starts in the middle and
one that never stopped go the same way. No SQL, no HTTP and no rendering may be done here.
"""
