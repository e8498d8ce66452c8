"""The journal's tables, version by version."""

from __future__ import annotations

SCHEMAS = (
    """
CREATE TABLE jobs (
    id TEXT PRIMARY KEY, digest TEXT NOT NULL, output TEXT NOT NULL, accepted_at REAL NOT NULL, timeline BLOB NOT NULL
) STRICT;
CREATE TABLE facts (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, job TEXT NOT NULL REFERENCES jobs(id), at REAL NOT NULL,
    kind TEXT NOT NULL, body TEXT NOT NULL
) STRICT;
CREATE INDEX facts_of_job ON facts(job, seq);
CREATE INDEX facts_of_kind ON facts(kind, job);
CREATE TABLE seals (key TEXT PRIMARY KEY, body TEXT NOT NULL, job TEXT NOT NULL, sealed_at REAL NOT NULL) STRICT;
CREATE TABLE decoded (
    fingerprint TEXT NOT NULL, stream INTEGER NOT NULL, frame INTEGER NOT NULL, mark BLOB NOT NULL,
    PRIMARY KEY (fingerprint, stream, frame)
) STRICT, WITHOUT ROWID;
CREATE TABLE films (
    path TEXT PRIMARY KEY, job TEXT NOT NULL, film_hash TEXT NOT NULL, cut TEXT NOT NULL, frames INTEGER NOT NULL,
    samples INTEGER NOT NULL, kept TEXT NOT NULL, kept_hash TEXT NOT NULL
) STRICT;
""",
    """
CREATE TABLE plans (job TEXT NOT NULL REFERENCES jobs(id), cut TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY (job, cut)) STRICT;
CREATE TABLE sources (
    path TEXT PRIMARY KEY, size INTEGER NOT NULL, mark TEXT NOT NULL, fingerprint TEXT NOT NULL, volume TEXT NOT NULL
) STRICT;
CREATE TABLE cures (
    code TEXT NOT NULL, change TEXT NOT NULL, cured INTEGER NOT NULL, failed INTEGER NOT NULL, PRIMARY KEY (code, change)
) STRICT;
CREATE TABLE preferences (code TEXT PRIMARY KEY, answer TEXT NOT NULL) STRICT;
""",
    """
CREATE TABLE marked (file INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, modified_ns INTEGER NOT NULL) STRICT;
CREATE TABLE marks (
    file INTEGER NOT NULL REFERENCES marked(file), stream INTEGER NOT NULL, place INTEGER NOT NULL, mark BLOB NOT NULL,
    PRIMARY KEY (file, stream, place)
) STRICT, WITHOUT ROWID;
""",
    """
CREATE TABLE submissions (
    id TEXT PRIMARY KEY, job TEXT NOT NULL REFERENCES jobs(id), content TEXT NOT NULL, body TEXT NOT NULL
) STRICT;
CREATE TABLE queue (
    place INTEGER PRIMARY KEY AUTOINCREMENT, job TEXT NOT NULL UNIQUE REFERENCES jobs(id), wish TEXT NOT NULL
) STRICT;
""",
    """
ALTER TABLE queue ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;
CREATE TABLE switches (name TEXT PRIMARY KEY, is_on INTEGER NOT NULL) STRICT;
""",
    """
ALTER TABLE marked RENAME COLUMN path TO identity;
CREATE TABLE marked_streams (
    file INTEGER NOT NULL REFERENCES marked(file), stream INTEGER NOT NULL, header BLOB NOT NULL, unmarked INTEGER NOT NULL,
    PRIMARY KEY (file, stream)
) STRICT, WITHOUT ROWID;
CREATE TABLE contents (
    used INTEGER PRIMARY KEY AUTOINCREMENT, identity TEXT NOT NULL UNIQUE, size INTEGER NOT NULL, mark TEXT NOT NULL
) STRICT;
CREATE INDEX contents_alike ON contents(size, mark);
ALTER TABLE sources ADD COLUMN identity TEXT NOT NULL DEFAULT '';
ALTER TABLE sources ADD COLUMN inode TEXT NOT NULL DEFAULT '';
ALTER TABLE sources ADD COLUMN modified_ns INTEGER NOT NULL DEFAULT 0;
CREATE INDEX sources_of_content ON sources(identity);
ALTER TABLE queue ADD COLUMN asked_after INTEGER NOT NULL DEFAULT 0;
""",
)
"""One script for each version; each starts from the tables of the previous version."""
