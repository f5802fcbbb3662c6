-- The text that took the place of a message's own while it waited.
ALTER TABLE event_bodies ADD COLUMN edited_sealed BLOB;

-- "edits" counts what was done to a message while it waited: what is asked must be its latest form. "command" is Bitrix24's
-- id of the command: one message may hold several. "joined_to" is the event with which it was asked as one question.
ALTER TABLE events ADD COLUMN edits INTEGER NOT NULL DEFAULT 0;
ALTER TABLE events ADD COLUMN command TEXT;
ALTER TABLE events ADD COLUMN joined_to INTEGER;
CREATE INDEX events_joined ON events (joined_to) WHERE joined_to IS NOT NULL;
