"""What we remember, on disk: the database of attempts and generations, the lock, the receipts, the lock file.

Everything here is written so that a process that dies at any statement leaves either the state before or the
state after. Four files, each with one job:

- `DIR/clipform.db` (`store`): SQLite. An append-only `event` table is the truth; the other tables are what one
  reducer makes of the events, in the transaction that appends them, and can be rebuilt from them at any time.
- `DIR/receipts` (`receipts`): what was bought, in space that was reserved beforehand, for the day when the
  database cannot be written (full disk) or is gone.
- `DIR/lock` (`lock`): a kernel lock; one process changes things at a time.
- `clipform.lock` beside the project file (`lockfile`): for git.

`DIR` is the project's `state/`, or `state/drafts/` for drafts, which so can never touch what was paid for.

What may not be done here: deciding (that is `plan` and `engine`), reading the clock (times are passed in),
talking to providers, and opening the database file by anything but SQLite: closing a second descriptor of it in
the same process drops SQLite's own locks. Foreign errors end here: SQLite's and the operating system's become
`StateError`s with words that a user can act on.
"""
