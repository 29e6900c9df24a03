-- How often limited grants may be used, and were. Counted under the root task, whichever task or token below it uses them.
CREATE TABLE limits (
    -- Id of the root task.
    task TEXT NOT NULL,
    -- Id of the grant: `g1`, and behind a dot for each delegation what tells it from others of the same grant.
    id TEXT NOT NULL,
    uses BIGINT NOT NULL,
    used BIGINT NOT NULL,
    -- Unix seconds: no token with this grant lives longer.
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (task, id)
);
CREATE INDEX limits_by_expiry ON limits (expires_at);

-- Uses that were counted a moment ago: whoever asks again about one gets the same answer.
CREATE TABLE uses (
    -- Names the decision and what it was about.
    decision TEXT PRIMARY KEY,
    -- What was left after it.
    remaining BIGINT NOT NULL,
    -- Unix seconds.
    used_at BIGINT NOT NULL
);
CREATE INDEX uses_by_time ON uses (used_at);
