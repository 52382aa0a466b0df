"""The names of the files and folders that clipform keeps in a project."""

STATE = "state"
DRAFTS = "drafts"
SPECS = "specs"
LOCK_FILE = "clipform.lock"
DATABASE = "clipform.db"
RECEIPTS = "receipts"
SHARED = "shared"
