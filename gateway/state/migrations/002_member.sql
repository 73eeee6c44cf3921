-- Who the members are. Rows are never removed: a reader that knows one revision reads what changed since.

CREATE TABLE agency (
	code         TEXT PRIMARY KEY,
	name_vi      TEXT NOT NULL,
	name_en      TEXT NOT NULL,
	province     TEXT NOT NULL,    -- '42'; '' for those of the whole country
	valid_from   TEXT NOT NULL,    -- day; '': always
	closed_from  TEXT NOT NULL,    -- first day on which it is closed; '': never
	successor    TEXT NOT NULL,    -- code of the agency that took its place; ''
	safety_level INTEGER NOT NULL, -- 1 to 5; 0: not determined
	assessed     TEXT NOT NULL,    -- day; '' with level 0
	officers     TEXT NOT NULL,    -- 'enrolled' or 'any'
	case_form    TEXT NOT NULL,    -- RE2 of its case numbers; '': any
	revision     INTEGER NOT NULL
);
CREATE INDEX agency_changed ON agency (revision);

CREATE TABLE system (
	agency   TEXT NOT NULL REFERENCES agency (code),
	name     TEXT NOT NULL,
	title_vi TEXT NOT NULL,
	title_en TEXT NOT NULL,
	roles    TEXT NOT NULL,        -- names, joined by commas
	status   TEXT NOT NULL,        -- 'active' or 'suspended'
	revision INTEGER NOT NULL,
	PRIMARY KEY (agency, name)
);
CREATE INDEX system_changed ON system (revision);

CREATE TABLE officer (
	agency   TEXT NOT NULL REFERENCES agency (code),
	account  TEXT NOT NULL,
	enrolled INTEGER NOT NULL,     -- Unix time in ms
	disabled INTEGER NOT NULL,     -- Unix time in ms; 0: it is not
	reason   TEXT NOT NULL,        -- why it was disabled
	revision INTEGER NOT NULL,
	PRIMARY KEY (agency, account)
);
CREATE INDEX officer_changed ON officer (revision);

-- Certificates that the hub's own authority issued.
CREATE TABLE certificate (
	serial     TEXT PRIMARY KEY,   -- lower-case hexadecimal
	agency     TEXT NOT NULL,
	system     TEXT NOT NULL,
	roles      TEXT NOT NULL,      -- of the system when it was issued
	server     INTEGER NOT NULL,   -- 1: may be shown by servers too
	hosts      TEXT NOT NULL,      -- further host names and addresses, joined by commas
	key_digest TEXT NOT NULL,      -- SHA-256 of the public key, hexadecimal
	outside    INTEGER NOT NULL,   -- 1: its key never was here
	not_before INTEGER NOT NULL,   -- Unix time in ms
	not_after  INTEGER NOT NULL,
	revoked_at INTEGER NOT NULL,   -- 0: it was not
	replaced   INTEGER NOT NULL,   -- 1: a later one was issued to the same system
	revision   INTEGER NOT NULL
);
CREATE INDEX certificate_of_system ON certificate (agency, system, revision);
CREATE INDEX certificate_key ON certificate (key_digest);

-- What is refused whatever its certificate says.
CREATE TABLE denied (
	what      TEXT PRIMARY KEY,    -- serial of one certificate, or AGENCY/SYSTEM
	owner     TEXT NOT NULL,       -- AGENCY/SYSTEM; '': not known
	at        INTEGER NOT NULL,    -- Unix time in ms
	not_after INTEGER NOT NULL,    -- when the certificate expires; 0: the entry stays for ever
	before    INTEGER NOT NULL,    -- of a system that was let back in: certificates that began earlier; 0: all
	reason    TEXT NOT NULL,
	dropped   INTEGER NOT NULL,    -- 1: the certificate has expired, the entry means nothing any more
	revision  INTEGER NOT NULL
);
CREATE INDEX denied_changed ON denied (revision);

-- Authorities of agencies, whose certificates are believed for those agencies alone.
CREATE TABLE trusted_ca (
	fingerprint TEXT PRIMARY KEY,  -- SHA-256 of the certificate, hexadecimal
	pem         TEXT NOT NULL,
	agencies    TEXT NOT NULL,     -- codes, joined by commas
	added       INTEGER NOT NULL,  -- Unix time in ms
	dropped     INTEGER NOT NULL,  -- 1: it is believed no longer
	revision    INTEGER NOT NULL
);
CREATE INDEX trusted_ca_changed ON trusted_ca (revision);
