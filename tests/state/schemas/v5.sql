PRAGMA application_id=1668049264;
PRAGMA user_version=5;
BEGIN TRANSACTION;
CREATE TABLE "_sqlite_migrations" (
   "id" INTEGER PRIMARY KEY,
   "migration_set" TEXT,
   "name" TEXT,
   "applied_at" TEXT
);
INSERT INTO "_sqlite_migrations" VALUES(1,'clipform','first','2026-11-25 14:50:53.414815+00:00');
INSERT INTO "_sqlite_migrations" VALUES(2,'clipform','second','2026-11-25 19:18:11.039788+00:00');
INSERT INTO "_sqlite_migrations" VALUES(3,'clipform','third','2026-11-25 19:21:40.115203+00:00');
INSERT INTO "_sqlite_migrations" VALUES(4,'clipform','fourth','2026-11-30 07:18:22.402622+00:00');
INSERT INTO "_sqlite_migrations" VALUES(5,'clipform','fifth','2026-11-30 11:27:27.675959+00:00');
CREATE TABLE "artifact" (
   "sha256" TEXT PRIMARY KEY NOT NULL,
   "size" INTEGER NOT NULL,
   "suffix" TEXT NOT NULL,
   "duration_ms" INTEGER NOT NULL,
   "width" INTEGER NOT NULL,
   "height" INTEGER NOT NULL,
   "audio" INTEGER NOT NULL
) STRICT;
INSERT INTO "artifact" VALUES('abababababababababababababababababababababababababababababababab',1000,'.mp4',5000,1280,720,1);
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
INSERT INTO "attempt" VALUES(1,'v1:aa','hero',1,'studio','ark','m1','done','m-done',1700000003.0,1700000010.0,'task-1',NULL,'settled',500000,'USD','','','abababababababababababababababababababababababababababababababab','{"prompt":"a cat"}',2,'',NULL,NULL);
INSERT INTO "attempt" VALUES(2,'v1:bb','intro',1,'studio','ark','m1','accepted','m-flying',1700000013.0,1700000015.0,'task-2',NULL,'reserved',250000,'USD','','',NULL,'{"prompt":"a cat"}',2,'',NULL,NULL);
INSERT INTO "attempt" VALUES(3,'v1:cc','outro',1,'studio','ark','m1','uncertain','m-doubt',1700000016.0,1700000018.0,NULL,NULL,'reserved',NULL,'','','no answer',NULL,'{"prompt":"a cat"}',2,'',NULL,NULL);
CREATE TABLE "binding" (
   "clip" TEXT,
   "take" INTEGER,
   "key" TEXT NOT NULL,
   "output" TEXT,
   "document" TEXT NOT NULL, "protect" INTEGER NOT NULL DEFAULT 0,
   PRIMARY KEY ("clip", "take")
) STRICT;
INSERT INTO "binding" VALUES('hero',1,'v1:aa','renders/hero.mp4','{"prompt":"a cat"}',0);
CREATE TABLE "event" (
   "seq" INTEGER PRIMARY KEY,
   "time" REAL NOT NULL,
   "type" TEXT NOT NULL,
   "clip" TEXT,
   "attempt" INTEGER,
   "payload" TEXT NOT NULL
) STRICT;
INSERT INTO "event" VALUES(1,1700000001.0,'store',NULL,NULL,'{"store":"30d214b78b75e3b189462cd61aeab87d"}');
INSERT INTO "event" VALUES(2,1700000002.0,'run',NULL,NULL,'{"command":"apply"}');
INSERT INTO "event" VALUES(3,1700000004.0,'begun','hero',1,'{"account":"cafe","clip":"hero","cost_micros":500000,"created":1700000003.0,"currency":"USD","document":"{\"prompt\":\"a cat\"}","id":1,"key":"v1:aa","kind":"ark","marker":"m-done","message":"","model":"m1","money":"reserved","provider":"studio","reason":"","run":2,"seed":null,"sha256":null,"state":"submitting","take":1,"task":null,"updated":1700000003.0}');
INSERT INTO "event" VALUES(4,1700000005.0,'moved','hero',1,'{"cost_micros":null,"evidence":{},"from":"submitting","message":"","money":"reserved","reason":"","sha256":null,"task":"task-1","to":"accepted"}');
INSERT INTO "event" VALUES(5,1700000006.0,'moved','hero',1,'{"cost_micros":null,"evidence":{},"from":"accepted","message":"","money":"reserved","reason":"","sha256":null,"task":null,"to":"ready"}');
INSERT INTO "event" VALUES(6,1700000007.0,'artifact','hero',1,'{"audio":true,"duration_ms":5000,"height":720,"sha256":"abababababababababababababababababababababababababababababababab","size":1000,"suffix":".mp4","width":1280}');
INSERT INTO "event" VALUES(7,1700000008.0,'generation','hero',1,'{"cost_micros":null,"created":0.0,"currency":"","document":"{\"prompt\":\"a cat\"}","elapsed":12.5,"key":"v1:aa","kind":"ark","mismatch":"","model":"m1","note":"","origin":"generated","provider":"studio","seed":null,"sha256":"abababababababababababababababababababababababababababababababab","task":null}');
INSERT INTO "event" VALUES(8,1700000009.0,'moved','hero',1,'{"cost_micros":null,"evidence":{},"from":"ready","message":"","money":"settled","reason":"","sha256":"abababababababababababababababababababababababababababababababab","task":null,"to":"fetched"}');
INSERT INTO "event" VALUES(9,1700000010.0,'moved','hero',1,'{"cost_micros":null,"evidence":{},"from":"fetched","message":"","money":"settled","reason":"","sha256":null,"task":null,"to":"done"}');
INSERT INTO "event" VALUES(10,1700000011.0,'bound','hero',NULL,'{"clip":"hero","document":"{\"prompt\":\"a cat\"}","key":"v1:aa","output":"renders/hero.mp4","take":1}');
INSERT INTO "event" VALUES(11,1700000012.0,'placed','hero',NULL,'{"inode":2,"mtime_ns":1,"output":"renders/hero.mp4","sha256":"abababababababababababababababababababababababababababababababab","size":1000}');
INSERT INTO "event" VALUES(12,1700000014.0,'begun','intro',2,'{"account":"","clip":"intro","cost_micros":250000,"created":1700000013.0,"currency":"USD","document":"{\"prompt\":\"a cat\"}","id":2,"key":"v1:bb","kind":"ark","marker":"m-flying","message":"","model":"m1","money":"reserved","provider":"studio","reason":"","run":2,"seed":null,"sha256":null,"state":"submitting","take":1,"task":null,"updated":1700000013.0}');
INSERT INTO "event" VALUES(13,1700000015.0,'moved','intro',2,'{"cost_micros":null,"evidence":{},"from":"submitting","message":"","money":"reserved","reason":"","sha256":null,"task":"task-2","to":"accepted"}');
INSERT INTO "event" VALUES(14,1700000017.0,'begun','outro',3,'{"account":"","clip":"outro","cost_micros":null,"created":1700000016.0,"currency":"","document":"{\"prompt\":\"a cat\"}","id":3,"key":"v1:cc","kind":"ark","marker":"m-doubt","message":"","model":"m1","money":"reserved","provider":"studio","reason":"","run":2,"seed":null,"sha256":null,"state":"submitting","take":1,"task":null,"updated":1700000016.0}');
INSERT INTO "event" VALUES(15,1700000018.0,'moved','outro',3,'{"cost_micros":null,"evidence":{},"from":"submitting","message":"no answer","money":"reserved","reason":"","sha256":null,"task":null,"to":"uncertain"}');
INSERT INTO "event" VALUES(16,1700000019.0,'note',NULL,NULL,'{"what":"consent"}');
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
INSERT INTO "generation" VALUES('v1:aa','abababababababababababababababababababababababababababababababab','{"prompt":"a cat"}','studio','ark','m1',NULL,NULL,NULL,'',0.0,12.5,'','generated');
CREATE TABLE "ledger" (
   "run" INTEGER NOT NULL,
   "currency" TEXT NOT NULL,
   "settled" INTEGER NOT NULL DEFAULT 0,
   "reserved" INTEGER NOT NULL DEFAULT 0,
   "clips" INTEGER NOT NULL DEFAULT 0,
   PRIMARY KEY ("run", "currency")
) STRICT;
INSERT INTO "ledger" VALUES(2,'USD',500000,250000,2);
INSERT INTO "ledger" VALUES(2,'',0,0,1);
CREATE TABLE "meta" (
   "name" TEXT PRIMARY KEY,
   "value" TEXT NOT NULL
) STRICT;
INSERT INTO "meta" VALUES('store','30d214b78b75e3b189462cd61aeab87d');
CREATE TABLE "placed" (
   "output" TEXT PRIMARY KEY NOT NULL,
   "sha256" TEXT NOT NULL,
   "size" INTEGER NOT NULL,
   "mtime_ns" INTEGER NOT NULL,
   "inode" INTEGER NOT NULL
) STRICT;
INSERT INTO "placed" VALUES('renders/hero.mp4','abababababababababababababababababababababababababababababababab',1000,1,2);
CREATE TABLE "plan" (
   "id" TEXT PRIMARY KEY,
   "time" REAL NOT NULL
) STRICT;
CREATE UNIQUE INDEX "idx__sqlite_migrations_migration_set_name"
    ON "_sqlite_migrations" ("migration_set", "name");
CREATE INDEX "idx_event_clip"
    ON "event" ("clip");
CREATE UNIQUE INDEX "idx_attempt_marker"
    ON "attempt" ("marker");
CREATE INDEX "idx_attempt_key"
    ON "attempt" ("key");
CREATE INDEX "idx_generation_sha256"
    ON "generation" ("sha256");
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
CREATE TRIGGER attempt_moves BEFORE UPDATE OF state ON attempt WHEN NOT ((OLD.state = 'submitting' AND NEW.state IN ('accepted', 'not_sent', 'refused', 'uncertain')) OR (OLD.state = 'uncertain' AND NEW.state IN ('abandoned', 'accepted', 'not_sent')) OR (OLD.state = 'accepted' AND NEW.state IN ('cancelled', 'failed', 'no_output', 'ready', 'stalled', 'vanished')) OR (OLD.state = 'stalled' AND NEW.state IN ('abandoned', 'accepted', 'cancelled', 'failed', 'no_output', 'ready', 'vanished')) OR (OLD.state = 'ready' AND NEW.state IN ('fetched', 'quarantined', 'result_expired')) OR (OLD.state = 'cancelled' AND NEW.state IN ('accepted')) OR (OLD.state = 'fetched' AND NEW.state IN ('accepted', 'done')) OR (OLD.state = 'done' AND NEW.state IN ('accepted')) OR (OLD.state = 'abandoned' AND NEW.state IN ('accepted')) OR (OLD.state = 'failed' AND NEW.state IN ('abandoned', 'accepted')) OR (OLD.state = 'no_output' AND NEW.state IN ('abandoned', 'accepted')) OR (OLD.state = 'quarantined' AND NEW.state IN ('abandoned', 'accepted')) OR (OLD.state = 'result_expired' AND NEW.state IN ('abandoned', 'accepted')) OR (OLD.state = 'vanished' AND NEW.state IN ('abandoned', 'accepted')))
BEGIN SELECT RAISE(ABORT, 'illegal move: the table of states does not list it'); END;
CREATE UNIQUE INDEX task_once ON attempt (provider, endpoint, task) WHERE task IS NOT NULL;
COMMIT;
