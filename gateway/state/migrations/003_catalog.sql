-- Tables of catalog.
SELECT 1;
