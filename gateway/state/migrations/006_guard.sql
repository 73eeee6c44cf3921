-- Tables of guard.
SELECT 1;
