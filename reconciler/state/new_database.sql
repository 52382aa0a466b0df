CREATE TABLE "_sqlite_migrations" (
   "id" INTEGER PRIMARY KEY,
   "migration_set" TEXT,
   "name" TEXT,
   "applied_at" TEXT
);
CREATE UNIQUE INDEX "idx__sqlite_migrations_migration_set_name"
    ON "_sqlite_migrations" ("migration_set", "name");
CREATE TABLE "event" (
   "seq" INTEGER PRIMARY KEY,
   "time" REAL NOT NULL,
   "type" TEXT NOT NULL,
   "clip" TEXT,
   "attempt" INTEGER,
   "payload" TEXT NOT NULL
) STRICT;
CREATE INDEX "idx_event_clip"
    ON "event" ("clip");
CREATE TABLE "attempt" (
   "id" INTEGER PRIMARY KEY,
   "key" TEXT NOT NULL,
   "clip" TEXT NOT NULL,
   "take" INTEGER NOT NULL,
   "provider" TEXT NOT NULL,
   "kind" TEXT NOT NULL,
   "model" TEXT NOT NULL,
   "state" TEXT NOT NULL,
   "marker" TEXT NOT NULL,
   "created" REAL NOT NULL,
   "updated" REAL NOT NULL,
   "task" TEXT,
   "seed" INTEGER,
   "money" TEXT NOT NULL,
   "cost_micros" INTEGER,
   "currency" TEXT NOT NULL,
   "reason" TEXT NOT NULL,
   "message" TEXT NOT NULL,
   "sha256" TEXT,
   "document" TEXT NOT NULL,
   "run" INTEGER NOT NULL
, "endpoint" TEXT NOT NULL DEFAULT '', "expires_after" INTEGER, "looked" REAL) STRICT;
CREATE UNIQUE INDEX "idx_attempt_marker"
    ON "attempt" ("marker");
CREATE INDEX "idx_attempt_key"
    ON "attempt" ("key");
CREATE TABLE "artifact" (
   "sha256" TEXT PRIMARY KEY NOT NULL,
   "size" INTEGER NOT NULL,
   "suffix" TEXT NOT NULL,
   "duration_ms" INTEGER NOT NULL,
   "width" INTEGER NOT NULL,
   "height" INTEGER NOT NULL,
   "audio" INTEGER NOT NULL
) STRICT;
CREATE TABLE "generation" (
   "key" TEXT PRIMARY KEY NOT NULL,
   "sha256" TEXT NOT NULL REFERENCES "artifact"("sha256"),
   "document" TEXT NOT NULL,
   "provider" TEXT NOT NULL,
   "kind" TEXT NOT NULL,
   "model" TEXT NOT NULL,
   "task" TEXT,
   "seed" INTEGER,
   "cost_micros" INTEGER,
   "currency" TEXT NOT NULL,
   "created" REAL NOT NULL,
   "elapsed" REAL NOT NULL,
   "mismatch" TEXT NOT NULL,
   "origin" TEXT NOT NULL
) STRICT;
CREATE INDEX "idx_generation_sha256"
    ON "generation" ("sha256");
CREATE TABLE "binding" (
   "clip" TEXT,
   "take" INTEGER,
   "key" TEXT NOT NULL,
   "output" TEXT,
   "document" TEXT NOT NULL, "protect" INTEGER NOT NULL DEFAULT 0,
   PRIMARY KEY ("clip", "take")
) STRICT;
CREATE TABLE "placed" (
   "output" TEXT PRIMARY KEY NOT NULL,
   "sha256" TEXT NOT NULL,
   "size" INTEGER NOT NULL,
   "mtime_ns" INTEGER NOT NULL,
   "inode" INTEGER NOT NULL
) STRICT;
CREATE TABLE "ledger" (
   "run" INTEGER NOT NULL,
   "currency" TEXT NOT NULL,
   "settled" INTEGER NOT NULL DEFAULT 0,
   "reserved" INTEGER NOT NULL DEFAULT 0,
   "clips" INTEGER NOT NULL DEFAULT 0,
   PRIMARY KEY ("run", "currency")
) STRICT;
CREATE TABLE "plan" (
   "id" TEXT PRIMARY KEY,
   "time" REAL NOT NULL
) STRICT;
CREATE TABLE "meta" (
   "name" TEXT PRIMARY KEY,
   "value" TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX one_open ON attempt (key) WHERE state IN ('accepted', 'fetched', 'no_output', 'quarantined', 'ready', 'result_expired', 'stalled', 'submitting', 'uncertain', 'vanished');
CREATE TRIGGER attempt_begins BEFORE INSERT ON attempt WHEN NEW.state <> 'submitting'
BEGIN SELECT RAISE(ABORT, 'illegal move: an attempt begins as submitting'); END;
CREATE TRIGGER event_no_update BEFORE UPDATE ON event BEGIN SELECT RAISE(ABORT, 'the event log is append-only'); END;
CREATE TRIGGER event_no_delete BEFORE DELETE ON event BEGIN SELECT RAISE(ABORT, 'the event log is append-only'); END;
CREATE TRIGGER attempt_spends AFTER INSERT ON attempt BEGIN
INSERT INTO ledger (run, currency) VALUES (NEW.run, NEW.currency) ON CONFLICT DO NOTHING;
UPDATE ledger SET
  settled = max(0, min(9000000000000000000, settled + CASE NEW.money WHEN 'settled' THEN coalesce(NEW.cost_micros, 0) ELSE 0 END)),
  reserved = max(0, min(9000000000000000000, reserved + CASE NEW.money WHEN 'reserved' THEN coalesce(NEW.cost_micros, 0) ELSE 0 END)),
  clips = clips + (NEW.money <> 'released' AND coalesce(NEW.cost_micros, 1) > 0)
WHERE run = NEW.run AND currency = NEW.currency;
END;
CREATE TRIGGER attempt_respends AFTER UPDATE OF money, cost_micros ON attempt BEGIN
UPDATE ledger SET
  settled = max(0, min(9000000000000000000, settled - CASE OLD.money WHEN 'settled' THEN coalesce(OLD.cost_micros, 0) ELSE 0 END)),
  reserved = max(0, min(9000000000000000000, reserved - CASE OLD.money WHEN 'reserved' THEN coalesce(OLD.cost_micros, 0) ELSE 0 END)),
  clips = clips - (OLD.money <> 'released' AND coalesce(OLD.cost_micros, 1) > 0)
WHERE run = OLD.run AND currency = OLD.currency;
UPDATE ledger SET
  settled = max(0, min(9000000000000000000, settled + CASE NEW.money WHEN 'settled' THEN coalesce(NEW.cost_micros, 0) ELSE 0 END)),
  reserved = max(0, min(9000000000000000000, reserved + CASE NEW.money WHEN 'reserved' THEN coalesce(NEW.cost_micros, 0) ELSE 0 END)),
  clips = clips + (NEW.money <> 'released' AND coalesce(NEW.cost_micros, 1) > 0)
WHERE run = NEW.run AND currency = NEW.currency;
END;
CREATE TRIGGER attempt_moves BEFORE UPDATE OF state ON attempt WHEN NOT ((OLD.state = 'abandoned' AND NEW.state IN ('accepted')) OR (OLD.state = 'accepted' AND NEW.state IN ('cancelled', 'failed', 'no_output', 'ready', 'stalled', 'vanished')) OR (OLD.state = 'cancelled' AND NEW.state IN ('accepted')) OR (OLD.state = 'done' AND NEW.state IN ('accepted')) OR (OLD.state = 'failed' AND NEW.state IN ('abandoned', 'accepted')) OR (OLD.state = 'fetched' AND NEW.state IN ('accepted', 'done')) OR (OLD.state = 'no_output' AND NEW.state IN ('abandoned', 'accepted')) OR (OLD.state = 'quarantined' AND NEW.state IN ('abandoned', 'accepted')) OR (OLD.state = 'ready' AND NEW.state IN ('fetched', 'quarantined', 'result_expired')) OR (OLD.state = 'result_expired' AND NEW.state IN ('abandoned', 'accepted')) OR (OLD.state = 'stalled' AND NEW.state IN ('abandoned', 'accepted', 'cancelled', 'failed', 'no_output', 'ready', 'vanished')) OR (OLD.state = 'submitting' AND NEW.state IN ('accepted', 'not_sent', 'refused', 'uncertain')) OR (OLD.state = 'uncertain' AND NEW.state IN ('abandoned', 'accepted', 'not_sent')) OR (OLD.state = 'vanished' AND NEW.state IN ('abandoned', 'accepted')))
BEGIN SELECT RAISE(ABORT, 'illegal move: the table of states does not list it'); END;
CREATE UNIQUE INDEX task_once ON attempt (provider, endpoint, task) WHERE task IS NOT NULL;
CREATE INDEX attempt_made ON attempt (sha256) WHERE sha256 IS NOT NULL;
CREATE INDEX attempt_marked ON attempt (expires_after) WHERE task IS NULL AND expires_after IS NOT NULL;
INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('clipform', 'first', datetime('now'));
INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('clipform', 'second', datetime('now'));
INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('clipform', 'third', datetime('now'));
INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('clipform', 'fourth', datetime('now'));
INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('clipform', 'fifth', datetime('now'));
INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('clipform', 'sixth', datetime('now'));
