-- The catalogue of one collection. A row with a `died_at` is dead to new readers; it is purged
-- once no segment holds it and no reader of an older generation can still ask for it.
CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE documents (
    doc      INTEGER PRIMARY KEY AUTOINCREMENT,
    id       TEXT NOT NULL,
    version  TEXT NOT NULL,
    uri      TEXT NOT NULL,
    path     TEXT NOT NULL,
    title    TEXT NOT NULL,
    language TEXT NOT NULL,
    metadata TEXT NOT NULL,
    groups   TEXT NOT NULL,
    size     INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    sha256   TEXT NOT NULL,
    died_at  REAL,
    text     TEXT NOT NULL
);
CREATE UNIQUE INDEX documents_live ON documents (id) WHERE died_at IS NULL;
CREATE INDEX documents_dead ON documents (died_at) WHERE died_at IS NOT NULL;

CREATE TABLE segments (
    segment  INTEGER PRIMARY KEY AUTOINCREMENT,
    kind     TEXT NOT NULL CHECK (kind IN ('postings', 'vectors')),
    rows     INTEGER NOT NULL,
    manifest TEXT NOT NULL,
    died_at  REAL
);

CREATE TABLE chunks (
    chunk    INTEGER PRIMARY KEY AUTOINCREMENT,  -- never used again, so late vectors go nowhere
    id       TEXT NOT NULL,
    doc      INTEGER NOT NULL REFERENCES documents ON DELETE CASCADE,
    position INTEGER NOT NULL,
    start    INTEGER NOT NULL,
    stop     INTEGER NOT NULL,
    heading  TEXT NOT NULL,
    content  TEXT NOT NULL,            -- digest of what is encoded: equal content, equal vector
    vectors  INTEGER REFERENCES segments
);
CREATE INDEX chunks_id ON chunks (id);
CREATE INDEX chunks_doc ON chunks (doc);
CREATE INDEX chunks_content ON chunks (content) WHERE vectors IS NOT NULL;
CREATE INDEX chunks_outstanding ON chunks (chunk) WHERE vectors IS NULL;
CREATE INDEX chunks_vectors ON chunks (vectors);
