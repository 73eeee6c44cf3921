-- An index for each query. Those that are unique are rules of law: nobody is born or dies twice, nobody has two
-- current marriages.
CREATE UNIQUE INDEX IF NOT EXISTS person_id ON person (id);
CREATE INDEX IF NOT EXISTS person_mother ON person (mother_id) WHERE mother_id <> '';
CREATE INDEX IF NOT EXISTS person_father_only ON person (father_id) WHERE mother_id = '' AND father_id <> '';
CREATE UNIQUE INDEX IF NOT EXISTS birth_person ON birth (person_id);
CREATE INDEX IF NOT EXISTS birth_entry ON birth (entry);
CREATE UNIQUE INDEX IF NOT EXISTS marriage_id ON marriage (id);
CREATE INDEX IF NOT EXISTS marriage_entry ON marriage (entry);
CREATE UNIQUE INDEX IF NOT EXISTS marriage_current_husband ON marriage (husband_id) WHERE state = 1;
CREATE UNIQUE INDEX IF NOT EXISTS marriage_current_wife ON marriage (wife_id) WHERE state = 1;
CREATE UNIQUE INDEX IF NOT EXISTS death_person ON death (person_id);
CREATE INDEX IF NOT EXISTS death_entry ON death (entry);
