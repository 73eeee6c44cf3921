-- Who was stopped for guessing numbers. A row stays when it is released; the history lies in change.
CREATE TABLE guard_stop (
	agency   TEXT NOT NULL,
	purpose  TEXT NOT NULL,
	officer  TEXT NOT NULL,              -- '': all of the agency
	since    INTEGER NOT NULL,           -- Unix time in ms
	misses   INTEGER NOT NULL,           -- people who were asked for and not found, when it was stopped
	matches  INTEGER NOT NULL,           -- people who were found
	why      TEXT NOT NULL,
	released INTEGER NOT NULL DEFAULT 0, -- Unix time in ms; 0: in force
	revision INTEGER NOT NULL,
	PRIMARY KEY (agency, purpose, officer)
);
CREATE INDEX guard_stop_changed ON guard_stop (revision);

-- What gateways counted in the last minute, so that a gateway that starts knows it.
CREATE TABLE guard_count (
	second  INTEGER NOT NULL, -- Unix time in s
	gateway TEXT NOT NULL,    -- the process that counted
	agency  TEXT NOT NULL,
	purpose TEXT NOT NULL,
	officer TEXT NOT NULL,    -- '': none was named; a tab and 'others': those that are not counted one by one
	matched INTEGER NOT NULL,
	missed  INTEGER NOT NULL,
	PRIMARY KEY (second, gateway, agency, purpose, officer)
);

-- Persons whom nobody has reason to ask for, by HMAC-SHA256 of kind and number under the secret "decoy".
CREATE TABLE decoy (
	hash     BLOB PRIMARY KEY,
	revision INTEGER NOT NULL
);
