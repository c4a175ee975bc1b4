-- The catalogue of one collection. A row with a `died_at` is dead to new readers; it is purged
-- once no segment holds it and no reader of an older generation can still ask for it.
-- Ids, versions and contents are digests of 16 bytes. They are as good as random, and an index over
-- them costs a page a row; so passages are found by their digests through the segments' arrays.
CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE documents (
    doc      INTEGER PRIMARY KEY,      -- never used again
    id       BLOB NOT NULL,
    version  BLOB NOT NULL,
    uri      TEXT NOT NULL,
    path     TEXT NOT NULL,
    title    TEXT NOT NULL,
    language TEXT NOT NULL,
    metadata TEXT NOT NULL,
    groups   TEXT NOT NULL,
    pages    TEXT NOT NULL,            -- offsets where they begin
    aliases  TEXT NOT NULL,            -- paths of files left out because they say the same
    stamp    TEXT NOT NULL,
    sha256   TEXT NOT NULL,
    first    INTEGER NOT NULL,         -- its passages are the chunks from here,
    passages INTEGER NOT NULL,         -- this many
    died_in  INTEGER,                  -- the generation that no longer has it
    died_at  REAL,                     -- seconds of the epoch
    text     TEXT NOT NULL
);
CREATE UNIQUE INDEX documents_live ON documents (id) WHERE died_in IS NULL;
CREATE INDEX documents_dead ON documents (died_in, died_at) WHERE died_in IS NOT NULL;

CREATE TABLE chunks (
    chunk    INTEGER PRIMARY KEY,      -- never used again, so late vectors go nowhere
    id       BLOB NOT NULL,
    doc      INTEGER NOT NULL,
    position INTEGER NOT NULL,
    start    INTEGER NOT NULL,
    stop     INTEGER NOT NULL,
    heading  TEXT NOT NULL,
    content  BLOB NOT NULL,            -- of what is encoded: equal content, equal vector
    lead     TEXT NOT NULL,
    outer_start INTEGER NOT NULL,      -- what is read where it is found
    outer_stop  INTEGER NOT NULL
);

CREATE TABLE spaces (                  -- one an encoder
    space       INTEGER PRIMARY KEY AUTOINCREMENT,
    fingerprint TEXT NOT NULL UNIQUE,
    name        TEXT NOT NULL,         -- what the encoder calls itself
    state       TEXT NOT NULL CHECK (state IN ('serving', 'shadow', 'previous'))
);

CREATE TABLE segments (
    segment  INTEGER PRIMARY KEY AUTOINCREMENT,
    kind     TEXT NOT NULL CHECK (kind IN ('postings', 'vectors', 'ann')),
    space    INTEGER,                  -- of vectors and ann
    of       INTEGER,                  -- the vectors segment that an ann is over
    rows     INTEGER NOT NULL,
    manifest TEXT NOT NULL,
    died_at  REAL
);
