-- How many changes there were: gateways read their rules anew when it grows.
CREATE TABLE revision (
	one    INTEGER PRIMARY KEY CHECK (one = 1),
	number INTEGER NOT NULL
);
INSERT INTO revision (one, number) VALUES (1, 0);

-- Every change, until a gateway has recorded it in its ledger and for ever after.
CREATE TABLE change (
	number        INTEGER PRIMARY KEY,
	revision      INTEGER NOT NULL,
	kind          INTEGER NOT NULL,           -- hub.v1.Change.Kind
	object        TEXT NOT NULL,
	record        BLOB NOT NULL,              -- hub.v1.Change
	position      TEXT NOT NULL DEFAULT '',   -- in a ledger, ORIGIN:SEQ; '' until it was recorded
	claimed_by    TEXT NOT NULL DEFAULT '',   -- the gateway that is about to record it
	claimed_until INTEGER NOT NULL DEFAULT 0  -- Unix time in ms; then another one may
);
CREATE INDEX change_of_object ON change (kind, object, number);
CREATE INDEX change_to_record ON change (position, number);

-- What all gateways must know and nobody else, such as the key that seals what they tell each other.
CREATE TABLE secret (
	name  TEXT PRIMARY KEY,
	value BLOB NOT NULL
);
