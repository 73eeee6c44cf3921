-- What was leased of the quotas of agreements, in windows of time. Gateways lease in blocks.
CREATE TABLE quota (
	agreement    TEXT NOT NULL,
	bound        INTEGER NOT NULL, -- 1 in a second, 2 in a day, 3 of one officer in a day
	who          TEXT NOT NULL,    -- AGENCY/OFFICER for bound 3, else ''
	window_start INTEGER NOT NULL, -- Unix time in s
	used         INTEGER NOT NULL, -- calls that were leased and not given back
	PRIMARY KEY (agreement, bound, who, window_start)
);
CREATE INDEX quota_old ON quota (bound, window_start);

-- When data subjects were asked about under agreements that bound how often. No row tells about whom: its key is a MAC.
CREATE TABLE frequency (
	subject  BLOB NOT NULL,    -- 16 bytes
	stamp    INTEGER NOT NULL, -- Unix time in ms << 20, and 20 bits that tell calls of one ms apart
	times    INTEGER NOT NULL, -- calls that the agreement allows …
	until_ms INTEGER NOT NULL, -- … until this one counts no more, Unix time in ms
	PRIMARY KEY (subject, stamp)
);
CREATE INDEX frequency_old ON frequency (until_ms);
CREATE INDEX frequency_new ON frequency (stamp);

-- Answers that must be destroyed, and whether the consumer has said that they are.
CREATE TABLE retention (
	agreement  TEXT NOT NULL,
	consumer   TEXT NOT NULL,              -- AGENCY/SYSTEM
	provider   TEXT NOT NULL,              -- agency
	keep_until TEXT NOT NULL,              -- last day on which they may be kept
	answers    INTEGER NOT NULL,
	confirmed  INTEGER NOT NULL DEFAULT 0, -- how many of them were destroyed, by the consumer's word
	PRIMARY KEY (agreement, consumer, provider, keep_until)
);
CREATE INDEX retention_due ON retention (keep_until);
