-- An index for each query. A fill drops them first and runs this again.
CREATE UNIQUE INDEX IF NOT EXISTS insured_number ON insured (insurance_number);
CREATE INDEX IF NOT EXISTS insured_person ON insured (personal_id, insurance_number);
CREATE UNIQUE INDEX IF NOT EXISTS former_card_number ON former_card (insurance_number, card_prefix);
CREATE UNIQUE INDEX IF NOT EXISTS contribution_number ON contribution (insurance_number, seq);
