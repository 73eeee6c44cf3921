-- A person's civil-status file: what all books together say of them today. died_on is '' while they live.
-- marital_known is 0 when the entry that would say is only on paper. marriage_id is the current marriage, or the
-- last, or 0. mother_id and father_id are '' when unknown. file is a Party in the
-- form of page.go.
CREATE TABLE person (
	id            TEXT NOT NULL,
	name_key      TEXT NOT NULL,
	birth         TEXT NOT NULL,
	sex           INTEGER NOT NULL,
	died_on       TEXT NOT NULL DEFAULT '',
	marital       INTEGER NOT NULL DEFAULT 1,
	marital_since TEXT NOT NULL DEFAULT '',
	marital_known INTEGER NOT NULL DEFAULT 1,
	marriage_id   INTEGER NOT NULL DEFAULT 0,
	mother_id     TEXT NOT NULL DEFAULT '',
	father_id     TEXT NOT NULL DEFAULT '',
	file          BLOB NOT NULL
);

-- The books. entry is the commune's code and the number of the entry, '18073/27/2024'. page is the entry as it was
-- written, a BirthRecord, MarriageRecord or DeathRecord in the form of page.go; NULL while it is
-- only on paper.
CREATE TABLE birth (
	person_id TEXT NOT NULL,
	entry     TEXT NOT NULL,
	page      BLOB
);

-- state is a MarriageState; ended_on is '' while the marriage lasts.
CREATE TABLE marriage (
	id         INTEGER NOT NULL,
	entry      TEXT NOT NULL,
	husband_id TEXT NOT NULL,
	wife_id    TEXT NOT NULL,
	state      INTEGER NOT NULL,
	ended_on   TEXT NOT NULL DEFAULT '',
	page       BLOB
);

CREATE TABLE death (
	person_id TEXT NOT NULL,
	entry     TEXT NOT NULL,
	page      BLOB
);

-- The last number given: in a commune's book of a kind and year, and (kind 'id', commune '', year 0) to a marriage.
CREATE TABLE counter (
	kind        TEXT NOT NULL,
	agency_code TEXT NOT NULL,
	year        INTEGER NOT NULL,
	last        INTEGER NOT NULL,
	PRIMARY KEY (kind, agency_code, year)
);

-- The registrations that were answered: what was asked (its digest) and the entry that was the answer.
CREATE TABLE request (
	request_id TEXT NOT NULL PRIMARY KEY,
	digest     BLOB NOT NULL,
	page       BLOB
);

-- The shared catalogues that entries are checked against, and whose names pages leave out: a name never changes.
-- system is a hub.v1.CodeSystem; old_province is the code, among the 63 provinces, of the one that the commune lay in.
CREATE TABLE commune (
	system        INTEGER NOT NULL,
	code          TEXT NOT NULL,
	name          TEXT NOT NULL,
	province      TEXT NOT NULL,
	province_name TEXT NOT NULL,
	old_province  TEXT NOT NULL,
	PRIMARY KEY (system, code)
);

CREATE TABLE ethnic (
	code TEXT NOT NULL PRIMARY KEY,
	name TEXT NOT NULL
);
