"""The state on disk: the database of attempts and generations, the lock, the receipts, the lock file.

A process that dies at any statement leaves either the state before it or the state after it. Each file has one
job:

- `DIR/clipform.db` (`store`): SQLite. An append-only `event` table is the truth; one reducer
  derives the other tables from the events, in the transaction that appends them; they follow from it alone. It holds
  the `ledger` (what was bought: it may be shared) and the `desk` (what this working copy has at its outputs).
- A database that a team shares (`shared`, `leases`): the same ledger in PostgreSQL, for several machines at once. Then
  `DIR/clipform.db` has the desk.
- `DIR/receipts` (`receipts`): what was bought, in space that was reserved before, for when the database cannot be
  written (full disk) or is lost.
- `DIR/lock` (`lock`): a kernel lock; one process changes things at a time.
- `DIR/specs` (`project.spec_cache`): what a plan needs of spec files; it only saves reading them.
- `DIR/seal` (package `seal`): facts about all of these; nothing is recovered from it.
- `clipform.lock` beside the project file (`lockfile`): for git.

`DIR` is the project's `state/`, or `state/drafts/` for drafts, which therefore never touch what was paid for.

Not allowed here: deciding (`plan` and `engine` do), reading the clock (times are passed in), talking to providers, and
opening the database file by anything but `sql.sqlite`: closing a second descriptor of it in the same process drops
SQLite's own locks. Errors of SQLite and of the operating system become `StateError`s with a message that a user can act
on.
"""
