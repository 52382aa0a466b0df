"""Carries out a plan against providers, the store and the disk.

    operations                 one file per command that is not apply
    run                        one apply: session, executor, scheduler, lock file
    attempt                    one generation, from its record to a stored video
    uncertain                  requests that may have been accepted
    connections, inputs        providers to talk to; media to send
    control, ports             stopping a run; the protocols through which the engine acts

The engine acts on records, not on what just happened: after every effect it reads the record again, so that a run that
resumes and one that never stopped take the same path. No SQL, no HTTP and no rendering here.
"""
