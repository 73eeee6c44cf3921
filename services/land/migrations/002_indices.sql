-- An index for each query.
CREATE UNIQUE INDEX IF NOT EXISTS certificates_serial ON certificates (serial, province);
CREATE UNIQUE INDEX IF NOT EXISTS parcels_place ON parcels (commune, sheet, plot);
CREATE INDEX IF NOT EXISTS parcels_certificate ON parcels (certificate);
CREATE UNIQUE INDEX IF NOT EXISTS owners_certificate ON owners (certificate, position);
CREATE INDEX IF NOT EXISTS owners_personal_id ON owners (personal_id, province);
CREATE INDEX IF NOT EXISTS owners_old_id ON owners (old_id, province);
CREATE INDEX IF NOT EXISTS encumbrances_parcel ON encumbrances (parcel, registered_at);
