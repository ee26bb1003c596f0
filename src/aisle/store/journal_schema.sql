-- The journal: product changes and events since the catalogue was imported, in one sequence of offsets.
CREATE TABLE product_changes (
    journal_offset INTEGER PRIMARY KEY,
    product_id TEXT NOT NULL,
    product BLOB,                       -- JSON; null: the product was deleted
    updated_at INTEGER NOT NULL,        -- microseconds since 1970, UTC, as are all times here
    journalled_at INTEGER NOT NULL,
    checksum INTEGER NOT NULL
);
CREATE INDEX product_changes_by_product ON product_changes (product_id, journal_offset, updated_at);

CREATE TABLE events (
    journal_offset INTEGER PRIMARY KEY,
    event_id TEXT,
    user_id TEXT,
    client_id TEXT,
    session_id TEXT,
    at INTEGER NOT NULL,
    action TEXT NOT NULL,
    product_id TEXT,
    query TEXT,
    search_id TEXT,
    journalled_at INTEGER NOT NULL,
    checksum INTEGER NOT NULL
);
CREATE INDEX events_by_id ON events (event_id, at) WHERE event_id IS NOT NULL;

-- Offsets that the bases of versions hold.
CREATE TABLE pins (version_id TEXT PRIMARY KEY, journal_offset INTEGER NOT NULL);

-- One row. Compaction takes rows out, so the head cannot be read from them.
CREATE TABLE state (
    row INTEGER PRIMARY KEY CHECK (row = 1),
    head INTEGER NOT NULL,
    journalled_at INTEGER NOT NULL
);
INSERT INTO state VALUES (1, 0, 0);
