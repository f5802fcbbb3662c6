-- Who is let in. "kind": 'code' works once, 'token' is a program's, 'session' a browser's. "hint": its last characters.
ALTER TABLE api_tokens ADD COLUMN kind TEXT NOT NULL DEFAULT 'token';
ALTER TABLE api_tokens ADD COLUMN hint TEXT NOT NULL DEFAULT '';
ALTER TABLE api_tokens ADD COLUMN last_used_at INTEGER;
UPDATE api_tokens SET kind = 'code' WHERE single_use = 1;
ALTER TABLE api_tokens DROP COLUMN single_use;

-- Who changed what.
CREATE TABLE changes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    made_at INTEGER NOT NULL,
    who TEXT NOT NULL,
    action TEXT NOT NULL,
    target TEXT NOT NULL,
    fields TEXT NOT NULL DEFAULT '',
    portal_id INTEGER
);

-- What portals' administrators may do with a provider: use it; give a connector an address elsewhere.
ALTER TABLE providers ADD COLUMN shared INTEGER NOT NULL DEFAULT 1;
ALTER TABLE providers ADD COLUMN any_address INTEGER NOT NULL DEFAULT 0;

CREATE INDEX connectors_by_portal ON connectors (portal_id);
