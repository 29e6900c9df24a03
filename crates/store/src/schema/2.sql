-- Sequences that every replica follows; given out under the lock of this row, so that none is committed late.
ALTER TABLE store ADD COLUMN revocation BIGINT NOT NULL DEFAULT 0;
-- Raised with every change of signing keys.
ALTER TABLE store ADD COLUMN keys BIGINT NOT NULL DEFAULT 0;

CREATE TABLE tasks (
    id TEXT PRIMARY KEY,
    -- Of the same client; NULL for a root.
    parent TEXT,
    -- JSON list of ids, from the root to this one.
    path TEXT NOT NULL,
    client TEXT NOT NULL,
    subject TEXT NOT NULL,
    -- The holder of its first token.
    agent TEXT NOT NULL,
    audience TEXT NOT NULL,
    -- JSON list of grants.
    grants TEXT NOT NULL,
    -- JSON of the binding that its tokens have; NULL for none.
    cnf TEXT,
    max_depth BIGINT NOT NULL,
    note TEXT,
    -- active, completed or revoked; an active task that has expired is told by its expiry.
    state TEXT NOT NULL,
    -- Unix seconds, as all instants here.
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    ended_at BIGINT
);
CREATE INDEX tasks_by_parent ON tasks (parent);
CREATE INDEX tasks_by_client ON tasks (client, id);
CREATE INDEX tasks_by_expiry ON tasks (expires_at);

CREATE TABLE revocations (
    seq BIGINT PRIMARY KEY,
    -- token, task, agent, subject, client or key.
    level TEXT NOT NULL,
    name TEXT NOT NULL,
    -- The one audience it can matter to; NULL for all.
    audience TEXT,
    reason TEXT,
    revoked_by TEXT NOT NULL,
    revoked_at BIGINT NOT NULL,
    -- After this instant nothing is left that it could refuse; NULL: it stands until it is lifted.
    expires_at BIGINT,
    -- Its lifting is a change with a place of its own.
    lifted_seq BIGINT UNIQUE,
    lifted_by TEXT,
    lifted_at BIGINT
);
CREATE INDEX revocations_by_name ON revocations (level, name);
CREATE INDEX revocations_by_expiry ON revocations (expires_at);

CREATE TABLE signing_keys (
    kid TEXT PRIMARY KEY,
    -- EdDSA.
    alg TEXT NOT NULL,
    -- Base64url of the public key.
    public_key TEXT NOT NULL,
    -- Base64url of the private key, encrypted; NULL once it can sign no more.
    sealed TEXT,
    -- next, active, retired or withdrawn.
    state TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    -- When it began to sign, and when it ended.
    active_at BIGINT,
    retired_at BIGINT,
    -- No token that it signed is valid after this instant; NULL while it signs.
    last_exp BIGINT
);

-- Secrets that replicas share, each encrypted: the key of revocation hashes, the key of the audit log.
CREATE TABLE sealed_secrets (
    name TEXT PRIMARY KEY,
    sealed TEXT NOT NULL,
    made_at BIGINT NOT NULL
);

-- Servers of this store that were there lately.
CREATE TABLE replicas (
    id TEXT PRIMARY KEY,
    seen_at BIGINT NOT NULL,
    -- The keys sequence that all data planes of this replica have acknowledged.
    keys_acked BIGINT NOT NULL
);

-- The audit log: batches of events, one chain for each writer.
CREATE TABLE audit_batches (
    writer TEXT NOT NULL,
    -- From 1, without gaps.
    seq BIGINT NOT NULL,
    -- Unix milliseconds.
    sealed_at BIGINT NOT NULL,
    events BIGINT NOT NULL,
    -- JSON lines.
    body TEXT NOT NULL,
    -- Hexadecimal: of the batch before, of this one with that, and the keyed hash of the latter.
    previous TEXT NOT NULL,
    hash TEXT NOT NULL,
    mac TEXT NOT NULL,
    PRIMARY KEY (writer, seq)
);
CREATE INDEX audit_batches_by_time ON audit_batches (sealed_at);

-- Each writer's last batch, and the last one that was removed for its age.
CREATE TABLE audit_writers (
    writer TEXT PRIMARY KEY,
    started_at BIGINT NOT NULL,
    head_seq BIGINT NOT NULL,
    head_hash TEXT NOT NULL,
    head_mac TEXT NOT NULL,
    pruned_seq BIGINT NOT NULL DEFAULT 0,
    pruned_hash TEXT NOT NULL DEFAULT '',
    -- Keyed hash of these two: nobody else can pass a removal for one.
    pruned_mac TEXT NOT NULL DEFAULT ''
);
