-- Fewer indexes to change with each message.

-- An index that names the state changes with every step of every message. Events have a body until they are done, sends no
-- end, and what has failed has an error, which few ever get.
DROP INDEX events_open;
DROP INDEX events_failed;
DROP INDEX events_failed_by_dialog;
CREATE INDEX events_with_error ON events (dialog_id) WHERE last_error IS NOT NULL;

DROP INDEX outbox_open;
DROP INDEX outbox_failed;
DROP INDEX outbox_failed_by_dialog;
CREATE INDEX outbox_open ON outbox (id) WHERE finished_at IS NULL;
CREATE INDEX outbox_with_error ON outbox (dialog_id) WHERE last_error IS NOT NULL;

-- A rating is of a message in a dialog that is known.
DROP INDEX outbox_by_sent_id;

-- An index ends with its rows' ids by itself.
DROP INDEX messages_by_dialog;
CREATE INDEX messages_by_dialog ON messages (dialog_id);

-- Whoever adds a row to a table with AUTOINCREMENT goes through this one until its row comes: those that get rows with each
-- message come first.
CREATE TEMP TABLE former_sequence AS SELECT name, seq FROM sqlite_sequence;
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence (name, seq)
    SELECT first.column1, COALESCE((SELECT seq FROM temp.former_sequence WHERE name = first.column1), 0)
    FROM (VALUES ('events'), ('outbox')) first;
INSERT INTO sqlite_sequence (name, seq)
    SELECT name, seq FROM temp.former_sequence WHERE name NOT IN ('events', 'outbox');
DROP TABLE temp.former_sequence;
