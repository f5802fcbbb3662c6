-- Inbound webhooks, and bots that fetch their events.

CREATE UNIQUE INDEX installations_by_webhook ON installations (portal_id) WHERE kind = 'webhook';

-- "token_sealed": by what Bitrix24 knows a bot that was registered by webhook. "event_token_sealed": the application token
-- of such a bot's own, learned from its first event. "event_offset": what the next poll confirms. "draining": the bot was
-- switched to webhook delivery and may have events left to fetch; 1: Bitrix24 was not told yet, 2: it was.
ALTER TABLE bots ADD COLUMN token_sealed BLOB;
ALTER TABLE bots ADD COLUMN event_token_sealed BLOB;
ALTER TABLE bots ADD COLUMN event_offset INTEGER;
ALTER TABLE bots ADD COLUMN draining INTEGER NOT NULL DEFAULT 0;

-- The fetched events that are known: their id, and their date should a portal count anew.
CREATE TABLE fetched_events (
    bot_id INTEGER NOT NULL REFERENCES bots (id) ON DELETE CASCADE,
    event_id INTEGER NOT NULL,
    date TEXT NOT NULL,
    taken_at INTEGER NOT NULL,
    PRIMARY KEY (bot_id, event_id, date)
) WITHOUT ROWID;
CREATE INDEX fetched_events_by_age ON fetched_events (taken_at);
