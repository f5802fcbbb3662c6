-- Times are milliseconds since 1970. Columns named *_sealed hold bytes encrypted with the server's secret key.
-- AUTOINCREMENT: the id of something that was deleted is never given again, as work on its way, a cache or a person may
-- still know it.
-- "partition" spreads portals over processes once there are several; until then it is 0.

CREATE TABLE settings (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL
);

CREATE TABLE api_tokens (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    fingerprint TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    single_use INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE apps (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    client_id TEXT UNIQUE,
    client_secret_sealed BLOB,
    bitbot INTEGER NOT NULL DEFAULT 0,
    page_url TEXT,
    address_key TEXT NOT NULL UNIQUE,
    sandbox INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL
);

CREATE TABLE portals (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    member_id TEXT NOT NULL UNIQUE,
    domain TEXT NOT NULL,
    limit_burst INTEGER NOT NULL DEFAULT 50,
    limit_per_second REAL NOT NULL DEFAULT 2,
    allow_private INTEGER NOT NULL DEFAULT 0,
    sandbox INTEGER NOT NULL DEFAULT 0,
    partition INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    last_seen_at INTEGER
);

CREATE TABLE installations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    portal_id INTEGER NOT NULL REFERENCES portals (id) ON DELETE CASCADE,
    app_id INTEGER REFERENCES apps (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    status TEXT NOT NULL,
    scope TEXT NOT NULL DEFAULT '',
    client_endpoint TEXT NOT NULL,
    server_endpoint TEXT NOT NULL DEFAULT '',
    application_token_sealed BLOB,
    notice TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (portal_id, app_id)
);

-- A user's tokens for one installation. The former pair is kept until the new one has been used: a renewal that was cut
-- off between the authorization server and the store can be taken up again with it.
CREATE TABLE credentials (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    installation_id INTEGER NOT NULL REFERENCES installations (id) ON DELETE CASCADE,
    user_id TEXT NOT NULL,
    admin INTEGER NOT NULL DEFAULT 0,
    access_sealed BLOB NOT NULL,
    refresh_sealed BLOB,
    former_refresh_sealed BLOB,
    expires_at INTEGER NOT NULL,
    renewed_at INTEGER NOT NULL,
    usable INTEGER NOT NULL DEFAULT 1,
    UNIQUE (installation_id, user_id)
);

CREATE TABLE providers (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    type TEXT NOT NULL,
    url TEXT NOT NULL,
    created_at INTEGER NOT NULL
);

CREATE TABLE connectors (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    portal_id INTEGER REFERENCES portals (id) ON DELETE CASCADE,
    provider_id INTEGER NOT NULL REFERENCES providers (id),
    shared INTEGER NOT NULL DEFAULT 0,
    name TEXT NOT NULL,
    key_sealed BLOB,
    url TEXT,
    options TEXT NOT NULL DEFAULT '{}',
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
);

CREATE TABLE bots (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    installation_id INTEGER NOT NULL REFERENCES installations (id) ON DELETE CASCADE,
    connector_id INTEGER REFERENCES connectors (id),
    name TEXT NOT NULL,
    code TEXT NOT NULL,
    type TEXT NOT NULL,
    api TEXT NOT NULL,
    delivery TEXT NOT NULL,
    bot_id INTEGER,
    status TEXT NOT NULL,
    status_reason TEXT,
    address_key TEXT NOT NULL UNIQUE,
    settings TEXT NOT NULL DEFAULT '{}',
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
);
CREATE INDEX bots_by_portal_id ON bots (installation_id, bot_id);

CREATE TABLE commands (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    bot_id INTEGER NOT NULL REFERENCES bots (id) ON DELETE CASCADE,
    command TEXT NOT NULL,
    common INTEGER NOT NULL DEFAULT 0,
    hidden INTEGER NOT NULL DEFAULT 0,
    extranet INTEGER NOT NULL DEFAULT 0,
    translations TEXT NOT NULL DEFAULT '[]',
    command_id INTEGER,
    UNIQUE (bot_id, command)
);

CREATE TABLE dialogs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    bot_id INTEGER NOT NULL REFERENCES bots (id) ON DELETE CASCADE,
    portal_id INTEGER NOT NULL REFERENCES portals (id) ON DELETE CASCADE,
    dialog_id TEXT NOT NULL,
    chat_id TEXT,
    state TEXT NOT NULL DEFAULT 'bot',
    title TEXT NOT NULL DEFAULT '',
    created_at INTEGER NOT NULL,
    last_message_at INTEGER NOT NULL,
    UNIQUE (bot_id, dialog_id)
);
CREATE INDEX dialogs_by_portal ON dialogs (portal_id);

-- What a bot platform remembers a dialog by. "mirrored" is what a second home (Redis) has: above 0, this platform_id until
-- then; below 0, a former one of ours, at most until then; 0, nothing of ours. A session that ended while the second home
-- had an id stays as a row with connector_id 0 until that id is removed there.
CREATE TABLE sessions (
    dialog_id INTEGER PRIMARY KEY REFERENCES dialogs (id) ON DELETE CASCADE,
    connector_id INTEGER NOT NULL,
    platform_id TEXT NOT NULL,
    data TEXT NOT NULL DEFAULT '{}',
    expires_at INTEGER NOT NULL,
    mirrored INTEGER NOT NULL DEFAULT 0
);

-- The transcript.
CREATE TABLE messages (
    id INTEGER PRIMARY KEY,
    dialog_id INTEGER NOT NULL REFERENCES dialogs (id) ON DELETE CASCADE,
    event_id INTEGER,
    author TEXT NOT NULL,
    text TEXT NOT NULL,
    created_at INTEGER NOT NULL
);
CREATE INDEX messages_by_dialog ON messages (dialog_id, id);

-- What Bitrix24 sent. "known_as" is the event's identity: one that is known is not taken again.
CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    partition INTEGER NOT NULL DEFAULT 0,
    portal_id INTEGER NOT NULL REFERENCES portals (id) ON DELETE CASCADE,
    bot_id INTEGER NOT NULL REFERENCES bots (id) ON DELETE CASCADE,
    dialog_id INTEGER REFERENCES dialogs (id) ON DELETE CASCADE,
    known_as TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    message_id INTEGER NOT NULL DEFAULT 0,
    state TEXT NOT NULL,
    trace TEXT,
    attempts INTEGER NOT NULL DEFAULT 0,
    last_error TEXT,
    received_at INTEGER NOT NULL,
    not_before INTEGER NOT NULL,
    asked_at INTEGER,
    finished_at INTEGER
);
CREATE INDEX events_open ON events (partition, id) WHERE state IN ('waiting', 'asking');
CREATE INDEX events_failed ON events (id) WHERE state = 'failed';
CREATE INDEX events_by_dialog ON events (dialog_id);

-- The event as it came, until it is answered. Beside the events, whose rows stay small: they change several times.
CREATE TABLE event_bodies (
    event_id INTEGER PRIMARY KEY REFERENCES events (id) ON DELETE CASCADE,
    sealed BLOB NOT NULL
);

-- What is to be said in Bitrix24, in order within a dialog.
CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    partition INTEGER NOT NULL DEFAULT 0,
    portal_id INTEGER NOT NULL REFERENCES portals (id) ON DELETE CASCADE,
    bot_id INTEGER NOT NULL REFERENCES bots (id) ON DELETE CASCADE,
    dialog_id INTEGER NOT NULL REFERENCES dialogs (id) ON DELETE CASCADE,
    event_id INTEGER,
    payload TEXT,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    last_error TEXT,
    created_at INTEGER NOT NULL,
    not_before INTEGER NOT NULL,
    finished_at INTEGER
);
CREATE INDEX outbox_open ON outbox (partition, id) WHERE state IN ('waiting', 'sending');
CREATE INDEX outbox_failed ON outbox (id) WHERE state = 'failed';
CREATE INDEX outbox_by_dialog ON outbox (dialog_id);
