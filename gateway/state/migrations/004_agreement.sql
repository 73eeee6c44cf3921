-- Tables of agreement.
SELECT 1;
