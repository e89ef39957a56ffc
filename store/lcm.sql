-- Migration 2: the large causal model. What is decided (merges) is kept; what follows from it (meanings, nodes, edges,
-- conflicts) is made anew by every weaving (store/weave.py) and may be dropped at any time.

ALTER TABLE documents ADD COLUMN kind VARCHAR DEFAULT 'read';        -- read | elicited | measured
ALTER TABLE claims ADD COLUMN evidence VARCHAR DEFAULT 'unstated';   -- as leucippus.store.triples.Evidence
ALTER TABLE claims ADD COLUMN population VARCHAR;                    -- of whom, where and when it is said; verbatim
ALTER TABLE claims ADD COLUMN place VARCHAR;
ALTER TABLE claims ADD COLUMN period VARCHAR;

-- One decision: this phrase means that one. A concept has at most one in force, so they make a forest.
CREATE TABLE merges (
    merge_id   VARCHAR NOT NULL,
    concept_id VARCHAR NOT NULL,
    into_id    VARCHAR NOT NULL,
    turn       TINYINT NOT NULL,            -- 1: more of the one is more of the other; -1: "lack of X" → X
    method     VARCHAR NOT NULL,            -- rule | abbreviation | vector | model | person
    reason     VARCHAR NOT NULL,
    score      DOUBLE,
    decided_at TIMESTAMP NOT NULL,
    undone_at  TIMESTAMP                    -- NULL: in force; what was undone is never decided again
);

-- Documents that repeat another one: the same news in two papers.
CREATE TABLE echoes (
    document_id VARCHAR PRIMARY KEY,
    origin_id   VARCHAR NOT NULL,
    likeness    DOUBLE NOT NULL
);

-- A topic that a model was asked about (agents/elicit.py); `path` leads from the root down to it.
CREATE TABLE topics (
    topic_id      VARCHAR PRIMARY KEY,
    run_id        VARCHAR NOT NULL,
    parent_id     VARCHAR,
    path          VARCHAR[] NOT NULL,
    depth         INTEGER NOT NULL,
    position      BIGINT NOT NULL,          -- in the order in which topics were found
    state         VARCHAR NOT NULL CHECK (state IN ('open', 'done', 'failed', 'left')),
    document_id   VARCHAR,
    prompt_tokens BIGINT NOT NULL DEFAULT 0,
    output_tokens BIGINT NOT NULL DEFAULT 0,
    claims        INTEGER NOT NULL DEFAULT 0,
    new_edges     INTEGER NOT NULL DEFAULT 0
);

-- What every phrase means, all merges followed: the root of its tree, and whether more of it is more or less of that.
CREATE TABLE meanings (
    concept_id VARCHAR NOT NULL,
    root_id    VARCHAR NOT NULL,
    turn       TINYINT NOT NULL
);

-- The concepts that claims are about, numbered; `name` is that of the root.
CREATE TABLE nodes (
    node       UINTEGER NOT NULL,
    concept_id VARCHAR NOT NULL,
    name       VARCHAR NOT NULL,
    phrases    UINTEGER NOT NULL,
    outgoing   UINTEGER NOT NULL,           -- edges
    incoming   UINTEGER NOT NULL
);

-- What all claims about one cause and one effect come to. Claims of a concept about itself make no edge.
CREATE TABLE edges (
    cause        UINTEGER NOT NULL,
    effect       UINTEGER NOT NULL,
    claims       UINTEGER NOT NULL,
    documents    UINTEGER NOT NULL,
    sources      UINTEGER NOT NULL,         -- independent ones that assert it: echoes and repeated quotes count once
    positive     UINTEGER NOT NULL,         -- claims not negated, by sign, turns of phrases taken in
    negative     UINTEGER NOT NULL,
    unsigned     UINTEGER NOT NULL,
    denied       UINTEGER NOT NULL,         -- negated claims; what follows is of the others
    hedged       UINTEGER NOT NULL,
    experimental UINTEGER NOT NULL,         -- by evidence, as the next four; the rest is unstated
    observational UINTEGER NOT NULL,
    opinion      UINTEGER NOT NULL,
    elicited     UINTEGER NOT NULL,
    measured     UINTEGER NOT NULL,
    confidence   FLOAT,                     -- mean; NULL where all claims deny
    credibility  FLOAT NOT NULL,
    claim_id     VARCHAR NOT NULL,          -- the best one
    document_id  VARCHAR NOT NULL,
    quote        VARCHAR NOT NULL
);

-- The same rows in the order of their effects: a look-up reads one corner of one table.
CREATE TABLE edges_by_effect AS FROM edges LIMIT 0;

-- Where claims disagree. Both sides stay in `claims`.
CREATE TABLE conflicts (
    kind    VARCHAR NOT NULL,               -- sign: raises and lowers | denied: asserted and denied | direction: both ways
    cause   UINTEGER NOT NULL,
    effect  UINTEGER NOT NULL,
    one     UINTEGER NOT NULL,              -- claims for the first reading: raises; asserted; cause → effect
    other   UINTEGER NOT NULL
);

-- Where concepts lie on the map, and the domain each belongs to (agents/mapping.py). Made on request, not by a weaving.
CREATE TABLE places (
    concept_id VARCHAR PRIMARY KEY,
    flat       FLOAT[2] NOT NULL,
    deep       FLOAT[3] NOT NULL,
    domain     VARCHAR NOT NULL
);

-- When the tables above were made, and from how many claims.
CREATE TABLE weavings (
    woven_at TIMESTAMP NOT NULL,
    claims   BIGINT NOT NULL,
    concepts BIGINT NOT NULL,
    nodes    BIGINT NOT NULL,
    edges    BIGINT NOT NULL,
    seconds  DOUBLE NOT NULL
);
