-- Dropped while a nation is loaded, and made again by this file: see fill.go.
CREATE UNIQUE INDEX IF NOT EXISTS person_by_id ON person (id);
CREATE INDEX IF NOT EXISTS person_by_old_id ON person (old_id) WHERE old_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS person_by_household ON person (household) WHERE household IS NOT NULL;
CREATE INDEX IF NOT EXISTS person_by_father ON person (father_id) WHERE father_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS person_by_mother ON person (mother_id) WHERE mother_id IS NOT NULL;
