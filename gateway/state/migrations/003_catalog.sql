-- What can be asked. A service is known by its descriptors alone.
CREATE TABLE service (
	name         TEXT PRIMARY KEY,
	owner        TEXT NOT NULL,     -- agency code
	state        TEXT NOT NULL,     -- test, assessed, official or suspended (R19)
	safety_level INTEGER NOT NULL,  -- of the system, 1 to 5; 0 not determined (R18)
	assessed     TEXT NOT NULL,     -- day of the security assessment; '' none yet
	files        BLOB NOT NULL,     -- google.protobuf.FileDescriptorSet: its file with all imports, without comments
	digest       BLOB NOT NULL,     -- of its contract
	revision     INTEGER NOT NULL
);

-- Who answers for a service, where.
CREATE TABLE service_provider (
	service      TEXT NOT NULL,
	jurisdiction TEXT NOT NULL,     -- 'vn' or a province code
	agency       TEXT NOT NULL,
	system       TEXT NOT NULL,
	PRIMARY KEY (service, jurisdiction)
);

-- Stops that were announced (R14), or that nobody could foresee (R15).
CREATE TABLE service_stop (
	number       INTEGER PRIMARY KEY,
	service      TEXT NOT NULL,
	jurisdiction TEXT NOT NULL,     -- '' all
	from_ms      INTEGER NOT NULL,  -- Unix time in ms
	until_ms     INTEGER NOT NULL,  -- expected return
	announced_ms INTEGER NOT NULL,
	unforeseen   INTEGER NOT NULL,  -- 1 force majeure
	text         TEXT NOT NULL
);

-- Each item of data has one source (R06): the service that owns it. Others may only have declared copies.
CREATE TABLE service_item (
	item    TEXT NOT NULL,          -- 'person.birth_date'
	service TEXT NOT NULL,
	field   TEXT NOT NULL,          -- 'Person.birth_date', within the contract's package
	copy    INTEGER NOT NULL,       -- 1 a copy of what another service owns
	PRIMARY KEY (item, service)
);
