-- One row for each insurance number, with the card that it has now. Dates are ISO texts, '' where there is none.
CREATE TABLE insured (
	insurance_number TEXT    NOT NULL, -- 10 digits
	personal_id      TEXT    NOT NULL, -- 12 digits, '' where only an old number is known; two numbers may name one person
	old_id           TEXT    NOT NULL, -- 9 digits or ''
	family_name      TEXT    NOT NULL,
	middle_name      TEXT    NOT NULL,
	given_name       TEXT    NOT NULL,
	birth_date       TEXT    NOT NULL, -- of reduced precision where only that is known
	sex              INTEGER NOT NULL, -- hub.v1.Sex
	code_system      INTEGER NOT NULL, -- hub.v1.CodeSystem of the address; 0: no address
	province_code    TEXT    NOT NULL,
	province_name    TEXT    NOT NULL,
	commune_code     TEXT    NOT NULL,
	commune_name     TEXT    NOT NULL,
	address_detail   TEXT    NOT NULL,
	card_prefix      TEXT    NOT NULL, -- first five characters of the card number: category, level, province; '': no card
	former_prefix    TEXT    NOT NULL, -- of the card that this one replaced, or ''
	valid_from       TEXT    NOT NULL,
	valid_to         TEXT    NOT NULL, -- last day
	five_year_date   TEXT    NOT NULL,
	facility_code    TEXT    NOT NULL, -- 5 digits
	living_area      TEXT    NOT NULL, -- K1, K2, K3 or ''
	ended_on         TEXT    NOT NULL, -- last day of a card that was recalled or reduced before valid_to, or ''
	ended_code       TEXT    NOT NULL, -- 110, 120 to 124, or ''
	deceased         INTEGER NOT NULL  -- 1: dead, the record is locked
);

-- Cards that were replaced by one with another number.
CREATE TABLE former_card (
	insurance_number TEXT NOT NULL,
	card_prefix      TEXT NOT NULL,
	valid_from       TEXT NOT NULL,
	valid_to         TEXT NOT NULL -- last day
);

-- Periods of social insurance, oldest first by seq. A month is counted from year 0: 2021-03 is 2021 * 12 + 2.
CREATE TABLE contribution (
	insurance_number TEXT    NOT NULL,
	seq              INTEGER NOT NULL, -- from 1 for each number
	type             INTEGER NOT NULL, -- ContributionType
	first_month      INTEGER NOT NULL,
	last_month       INTEGER NOT NULL, -- 0 while the period runs
	unit_code        TEXT    NOT NULL,
	wage_base        INTEGER NOT NULL  -- đồng a month
);

-- Requests for cards that were done, so that each is done once.
CREATE TABLE issued (
	request_id          TEXT NOT NULL PRIMARY KEY,
	digest              BLOB NOT NULL, -- SHA-256 of what was asked
	answer              BLOB NOT NULL, -- IssueCardResponse
	registration_number TEXT NOT NULL, -- birth registration that the card rests on, or ''
	registration_date   TEXT NOT NULL,
	issued_on           TEXT NOT NULL
);
