"""The doors to databases: one text of SQL, carried out by an executor for each kind of database.

    port      what an executor does, and the errors of all of them
    sqlite    SQLite: `DIR/clipform.db`
    postgres  PostgreSQL: what several machines share; imported only for a project that has a `state` section

A statement names its values, as `:name`, and uses only what every database understands. Errors of a database end here:
its callers see `StateError`s.
"""
