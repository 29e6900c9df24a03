-- One row: what counts for the whole store.
CREATE TABLE store (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    -- Raised when a backup is restored; the first part of every snapshot's version.
    epoch BIGINT NOT NULL,
    -- Tokens issued before this instant (Unix seconds) are refused; raised together with the epoch.
    min_iat BIGINT NOT NULL,
    -- The generation that all replicas serve; 0 before the first.
    latest_generation BIGINT NOT NULL
);
INSERT INTO store (id, epoch, min_iat, latest_generation) VALUES (1, 1, 0, 0);

CREATE TABLE policy_generations (
    generation BIGINT PRIMARY KEY,
    -- SHA-256 of the files that were compiled.
    digest TEXT NOT NULL,
    -- SHA-256 of the files that the directory held: others, if some of them were bad.
    directory_digest TEXT NOT NULL,
    -- The compiled files; NULL once enough later generations have followed.
    sources TEXT,
    -- Unix seconds.
    published_at BIGINT NOT NULL,
    published_by TEXT NOT NULL
);
CREATE INDEX policy_generations_by_digest ON policy_generations (digest, generation);
CREATE INDEX policy_generations_by_directory ON policy_generations (directory_digest, generation);

-- Secrets that the server made for clients.
CREATE TABLE client_secrets (
    client TEXT PRIMARY KEY,
    -- Hexadecimal SHA-256.
    secret_sha256 TEXT NOT NULL,
    -- Unix seconds.
    made_at BIGINT NOT NULL
);
