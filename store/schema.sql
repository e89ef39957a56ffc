-- Migration 1: every table of the store. Ids are functions of content (store/triples.py: stable_id), times are UTC.
-- There are no foreign keys: each would cost one more index, and the writer inserts parents first.

-- A place where a document was found. Two places may hold the same text.
CREATE TABLE sources (
    source_id   VARCHAR PRIMARY KEY,
    uri         VARCHAR NOT NULL,
    media_type  VARCHAR NOT NULL,
    document_id VARCHAR NOT NULL,
    first_seen  TIMESTAMP NOT NULL
);

CREATE TABLE documents (
    document_id  VARCHAR PRIMARY KEY,
    content_hash VARCHAR NOT NULL,          -- SHA-256 of the text as UTF-8, in hex
    media_type   VARCHAR NOT NULL,
    title        VARCHAR NOT NULL,
    published    VARCHAR,                   -- ISO 8601, as the document bears it
    chars        BIGINT NOT NULL,
    text         VARCHAR NOT NULL,
    added_at     TIMESTAMP NOT NULL
);

CREATE TABLE passages (
    passage_id  VARCHAR PRIMARY KEY,
    document_id VARCHAR NOT NULL,
    start       BIGINT NOT NULL,            -- characters into documents.text, as is "end"
    "end"       BIGINT NOT NULL,
    text        VARCHAR NOT NULL
);

CREATE TABLE readers (
    reader_id      VARCHAR PRIMARY KEY,
    model          VARCHAR NOT NULL,
    adapter        VARCHAR,
    prompt_version VARCHAR NOT NULL,
    seed           BIGINT NOT NULL
);

-- The counts are derived from the other tables when the run is finished; until then they are NULL.
CREATE TABLE runs (
    run_id        VARCHAR PRIMARY KEY,
    command       VARCHAR NOT NULL,
    settings      JSON NOT NULL,
    code_version  VARCHAR NOT NULL,
    reader_id     VARCHAR,
    started_at    TIMESTAMP NOT NULL,
    finished_at   TIMESTAMP,
    status        VARCHAR NOT NULL CHECK (status IN ('running', 'finished', 'interrupted', 'failed')),
    documents     BIGINT,
    passages      BIGINT,                   -- planned by this run, `skipped` among them
    skipped       BIGINT,                   -- the cheap first pass saw nothing causal
    read          BIGINT,
    claims        BIGINT,
    rejected      BIGINT,                   -- failures at stage 'ground'
    failures      BIGINT,                   -- failures at any other stage
    prompt_tokens BIGINT,
    output_tokens BIGINT,
    seconds       DOUBLE                    -- spent reading batches, over all sittings of the run
);

-- The plan of a run and how far it has got: one row a passage and reader, in the order they are read.
CREATE TABLE readings (
    reader_id     VARCHAR NOT NULL,
    passage_id    VARCHAR NOT NULL,
    run_id        VARCHAR NOT NULL,
    batch         INTEGER NOT NULL,
    position      INTEGER NOT NULL,
    state         VARCHAR NOT NULL CHECK (state IN ('planned', 'skipped', 'read', 'failed')),
    candidates    INTEGER NOT NULL DEFAULT 0,
    accepted      INTEGER NOT NULL DEFAULT 0,
    prompt_tokens INTEGER NOT NULL DEFAULT 0,
    output_tokens INTEGER NOT NULL DEFAULT 0,
    seconds       DOUBLE NOT NULL DEFAULT 0, -- this passage's share of its batch
    PRIMARY KEY (reader_id, passage_id)
);

-- As leucippus.store.triples.Claim, plus the run that wrote it and the concepts it links.
CREATE TABLE claims (
    claim_id       VARCHAR NOT NULL,        -- unique, kept so by the writer: a key would double the file
    document_id    VARCHAR NOT NULL,
    passage_id     VARCHAR NOT NULL,
    reader_id      VARCHAR NOT NULL,
    run_id         VARCHAR NOT NULL,
    cause          VARCHAR NOT NULL,
    cause_start    BIGINT NOT NULL,
    cause_end      BIGINT NOT NULL,
    cause_concept  VARCHAR NOT NULL,
    relation       VARCHAR NOT NULL,
    effect         VARCHAR NOT NULL,
    effect_start   BIGINT NOT NULL,
    effect_end     BIGINT NOT NULL,
    effect_concept VARCHAR NOT NULL,
    sign           VARCHAR NOT NULL CHECK (sign IN ('+', '-', 'none')),
    negated        BOOLEAN NOT NULL,
    hedged         BOOLEAN NOT NULL,
    conditions     VARCHAR,
    quote          VARCHAR NOT NULL,
    start          BIGINT NOT NULL,
    "end"          BIGINT NOT NULL,
    confidence     DOUBLE
);

CREATE TABLE concepts (
    concept_id VARCHAR PRIMARY KEY,
    name       VARCHAR NOT NULL
);

-- Which concept a normalised phrase stands for. `method` says who decided: 'name' = the phrase is the concept's name.
CREATE TABLE aliases (
    alias      VARCHAR PRIMARY KEY,
    concept_id VARCHAR NOT NULL,
    method     VARCHAR NOT NULL
);

CREATE TABLE concept_vectors (
    concept_id VARCHAR PRIMARY KEY,
    vector     FLOAT[384] NOT NULL
);

CREATE TABLE failures (
    failure_id VARCHAR PRIMARY KEY,
    run_id     VARCHAR NOT NULL,
    item       VARCHAR NOT NULL,
    stage      VARCHAR NOT NULL,
    error      VARCHAR NOT NULL,
    message    VARCHAR NOT NULL,
    detail     VARCHAR,
    failed_at  TIMESTAMP NOT NULL
);
