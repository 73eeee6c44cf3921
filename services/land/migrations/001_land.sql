-- The land book of one jurisdiction. Indices are made after the first fill, see indices.sql.

-- Administrative units that the book names, in both code systems; those of the jurisdiction's own provinces in the
-- system since July 2025 are all here. digitised is 0 where the commune's book is still paper.
CREATE TABLE communes (
	system        INTEGER NOT NULL, -- hub.v1.CodeSystem
	code          INTEGER NOT NULL,
	name          TEXT NOT NULL,
	province      INTEGER NOT NULL,
	province_name TEXT NOT NULL,
	digitised     INTEGER NOT NULL,
	PRIMARY KEY (system, code)
);

CREATE TABLE certificates (
	id          INTEGER PRIMARY KEY,
	serial      TEXT NOT NULL, -- as printed: "AA 01695788"
	province    INTEGER NOT NULL,
	book_number TEXT NOT NULL,
	issued_on   TEXT NOT NULL,
	wrong       INTEGER NOT NULL -- 1: known to be wrong, must be corrected before it is used
);

-- What many questions need of the certificate is here too, so that they read one row.
CREATE TABLE parcels (
	id           INTEGER PRIMARY KEY,
	certificate  INTEGER NOT NULL,
	serial       TEXT NOT NULL,
	wrong        INTEGER NOT NULL,
	commune      INTEGER NOT NULL, -- code system since July 2025
	sheet        INTEGER NOT NULL,
	plot         INTEGER NOT NULL,
	area         INTEGER NOT NULL, -- 0.1 m²
	use_code     TEXT NOT NULL,
	use_title    TEXT NOT NULL,
	term         TEXT NOT NULL,
	form         INTEGER NOT NULL, -- registry.land.v1.FormOfUse
	origin       TEXT NOT NULL,
	system       INTEGER NOT NULL, -- of the address as recorded
	recorded     INTEGER NOT NULL, -- its commune
	detail       TEXT NOT NULL,
	encumbrances INTEGER NOT NULL, -- how many rows of that table are about it
	house_area   INTEGER NOT NULL, -- floor area, 0.1 m²; 0: no house
	house_floors INTEGER NOT NULL,
	north        INTEGER NOT NULL, -- north-west corner, VN-2000, cm
	east         INTEGER NOT NULL,
	width        INTEGER NOT NULL, -- cm, west to east
	depth        INTEGER NOT NULL  -- cm, north to south
);

-- One row for each name on a certificate. Exactly one of personal_id and old_id is set.
CREATE TABLE owners (
	certificate INTEGER NOT NULL,
	position    INTEGER NOT NULL,
	province    INTEGER NOT NULL, -- of the certificate
	name        TEXT NOT NULL,
	name_key    TEXT NOT NULL, -- see person.NameKey
	wrong       INTEGER NOT NULL, -- 1: this entry is known to be wrong
	personal_id TEXT,
	old_id      TEXT,
	birth       TEXT NOT NULL,
	home        INTEGER NOT NULL, -- commune, code system since July 2025
	home_detail TEXT NOT NULL
);

CREATE TABLE encumbrances (
	id            INTEGER PRIMARY KEY,
	parcel        INTEGER NOT NULL,
	kind          INTEGER NOT NULL, -- 1 mortgage, 2 seizure, 3 dispute, 4 planning restriction
	party         TEXT NOT NULL,    -- bank or authority
	reference     TEXT NOT NULL,    -- contract, decision or notice number
	registered_at TEXT NOT NULL,    -- RFC 3339, UTC, to the minute
	removed_at    TEXT NOT NULL     -- empty while it rests
);
