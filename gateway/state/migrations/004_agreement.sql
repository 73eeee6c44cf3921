-- Agreements: each version one row. What was written down is never changed; how far it has come is.
CREATE TABLE agreement (
	id           TEXT NOT NULL,
	version      INTEGER NOT NULL,
	edition      INTEGER NOT NULL,             -- counts the changes of this row, from 1
	state        INTEGER NOT NULL,             -- hub.v1.AgreementState; that it expired is told by time
	document     BLOB NOT NULL,                -- hub.v1.Agreement, deterministic; written once
	digest       BLOB NOT NULL,                -- SHA-256 of document
	consumer     TEXT NOT NULL,                -- agency
	provider     TEXT NOT NULL,                -- agency
	service      TEXT NOT NULL,
	drafted_by   TEXT NOT NULL,                -- AGENCY/SYSTEM
	drafted_for  TEXT NOT NULL,                -- officer
	proposed     INTEGER NOT NULL,             -- Unix time in ms; 0: not yet
	proposed_by  TEXT NOT NULL,                -- AGENCY/SYSTEM; '' not yet
	proposed_for TEXT NOT NULL,                -- officer
	from_ms      INTEGER NOT NULL,             -- decides from this moment, Unix time in ms
	until_ms     INTEGER NOT NULL,             -- up to this one, not in it
	reason       TEXT NOT NULL DEFAULT '',     -- of a refusal, suspension or termination
	ground       INTEGER NOT NULL DEFAULT 0,   -- hub.v1.RefusalGround
	refused_for  TEXT NOT NULL DEFAULT '',     -- the party that refused: 'provider' or 'hub'
	revision     INTEGER NOT NULL,             -- of its last change
	PRIMARY KEY (id, version)
);
CREATE INDEX agreement_changed ON agreement (revision);
CREATE INDEX agreement_between ON agreement (provider, consumer, service);
CREATE INDEX agreement_about ON agreement (service, state);

-- Approvals of one version: one of its provider, one of the hub.
CREATE TABLE agreement_approval (
	id       TEXT NOT NULL,
	version  INTEGER NOT NULL,
	party    TEXT NOT NULL,    -- 'provider' or 'hub'
	by_id    TEXT NOT NULL,    -- AGENCY/SYSTEM
	officer  TEXT NOT NULL,
	at_ms    INTEGER NOT NULL, -- Unix time in ms
	PRIMARY KEY (id, version, party)
);

-- Consumers that a provider has stopped (384-QĐ/TW, Điều 15). A row goes when that is lifted; the changes stay.
CREATE TABLE agreement_suspension (
	provider    TEXT NOT NULL,    -- agency
	agency      TEXT NOT NULL,    -- the consumer's
	system      TEXT NOT NULL,    -- one of its systems; '' all
	violation   TEXT NOT NULL,
	since_ms    INTEGER NOT NULL, -- Unix time in ms
	deadline_ms INTEGER NOT NULL, -- Unix time in ms: what is not mended by then ends agreements
	ended_ms    INTEGER NOT NULL, -- when it did; 0: not yet
	by_id       TEXT NOT NULL,    -- AGENCY/SYSTEM
	officer     TEXT NOT NULL,
	revision    INTEGER NOT NULL,
	PRIMARY KEY (provider, agency, system)
);
