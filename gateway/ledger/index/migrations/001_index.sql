-- A block is 65,536 records; see block.go for what is in a head.
CREATE TABLE block (
	number INTEGER PRIMARY KEY,
	head   BLOB NOT NULL
);

-- By what the records of a block are found: sorted entries, cut into pages; see page.go.
CREATE TABLE page (
	block INTEGER NOT NULL,
	col   INTEGER NOT NULL,
	first BLOB NOT NULL,
	data  BLOB NOT NULL,
	PRIMARY KEY (block, col, first)
);

-- The texts of field lists, by their SHA-256.
CREATE TABLE fields (
	digest BLOB PRIMARY KEY,
	text   TEXT NOT NULL
);
