-- Tables of meter.
SELECT 1;
