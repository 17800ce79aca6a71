-- The polls of one store of the last 30 days.
SELECT ts, active FROM polls
WHERE sid = (SELECT sid FROM store WHERE store_id = $1)
  AND ts >= (SELECT max(ts) FROM polls) - 30 * 86400000000
ORDER BY ts;
