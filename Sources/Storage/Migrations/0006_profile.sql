-- How a bot looks in Bitrix24.
ALTER TABLE bots ADD COLUMN position TEXT NOT NULL DEFAULT '';
ALTER TABLE bots ADD COLUMN color TEXT;
ALTER TABLE bots ADD COLUMN has_avatar INTEGER NOT NULL DEFAULT 0;

-- Beside the bots, whose rows are read for every message.
CREATE TABLE bot_avatars (
    bot_id INTEGER PRIMARY KEY REFERENCES bots (id) ON DELETE CASCADE,
    image BLOB NOT NULL
);
