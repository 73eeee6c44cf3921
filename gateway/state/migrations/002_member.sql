-- Tables of member.
SELECT 1;
