"""One run of `apply`: the session that holds the state, the executor, the scheduler, and the lock file.

Not allowed here: talking to a provider (`attempt` does) and rendering anything for people.
"""
