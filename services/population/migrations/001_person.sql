-- One row for each number ever issued, the living and the dead. Wide on purpose: a question is one row.
--
-- Dates are ISO, in the precision that is known. A unit is a code of an administrative unit: 2 digits for a
-- province, 5 for a commune; the name is in table unit. Residences are in the codes since 1 July 2025, and
-- permanent_old_unit keeps the code under which the permanent one was registered before. NULL: there is none.
CREATE TABLE person (
	id                 TEXT NOT NULL,    -- 12 digits
	old_id             TEXT,             -- 9 digits, not unique
	family             TEXT NOT NULL,
	middle             TEXT NOT NULL,
	given              TEXT NOT NULL,
	birth_date         TEXT NOT NULL,
	sex                INTEGER NOT NULL, -- hub.v1.Sex
	ethnic             TEXT,             -- catalogue: ethnic
	religion           TEXT,             -- catalogue: religion
	blood              TEXT,             -- such as O+
	phone              TEXT,
	card_issued        TEXT,
	birth_system       INTEGER,          -- hub.v1.CodeSystem of birth_unit
	birth_unit         TEXT,
	birth_detail       TEXT,
	hometown_system    INTEGER,
	hometown_unit      TEXT,
	father_id          TEXT,
	father_name        TEXT,
	mother_id          TEXT,
	mother_name        TEXT,
	spouse_id          TEXT,
	marital            INTEGER NOT NULL, -- MaritalStatus
	household          TEXT,             -- residence file number
	relation           INTEGER NOT NULL, -- Relation to the head of household
	permanent_unit     TEXT,
	permanent_old_unit TEXT,
	permanent_detail   TEXT,
	permanent_since    TEXT,
	temporary_unit     TEXT,
	temporary_detail   TEXT,
	temporary_until    TEXT,
	absent             INTEGER NOT NULL, -- 1: has declared a temporary absence
	death_date         TEXT              -- the number is cancelled
);

-- The shared catalogue, read into memory when the registry opens.
CREATE TABLE unit (
	system   INTEGER NOT NULL, -- hub.v1.CodeSystem
	code     TEXT NOT NULL,
	province TEXT NOT NULL,    -- code of its province; its own for a province
	name     TEXT NOT NULL
);

CREATE TABLE catalogue (
	list TEXT NOT NULL, -- ethnic, religion
	code TEXT NOT NULL,
	name TEXT NOT NULL
);

-- What a write's request id was used for. Kept for ever: a request may be repeated at any time.
CREATE TABLE request (
	request_id TEXT PRIMARY KEY,
	method     TEXT NOT NULL,
	digest     BLOB NOT NULL, -- SHA-256 of the request
	person_id  TEXT NOT NULL, -- the number issued or cancelled
	done       TEXT NOT NULL, -- RFC 3339, UTC
	note       TEXT           -- number of the death entry
);
