-- A file of polls into tables that are full: new stores, then the polls in place of those that have
-- the same store and time.
BEGIN;
CREATE TEMP TABLE raw AS
  SELECT store_id, lower(status) = 'active' AS active, epoch_us(t[:26]::TIMESTAMP) AS ts
  FROM read_csv('$FILE', header=true, auto_detect=false, delim=',', quote='"',
    columns={'store_id': 'VARCHAR', 'status': 'VARCHAR', 't': 'VARCHAR'});
INSERT INTO store
  SELECT (SELECT count(*) FROM store) + row_number() OVER () - 1, store_id, NULL
  FROM (SELECT DISTINCT store_id FROM raw ANTI JOIN store USING (store_id));
CREATE TEMP TABLE fresh AS
  SELECT s.sid, ts, arg_max(active, n) AS active
  FROM (SELECT *, rowid AS n FROM raw) r JOIN store s USING (store_id) GROUP BY s.sid, ts;
DELETE FROM polls USING fresh
  WHERE polls.ts >= (SELECT min(ts) FROM fresh) AND polls.sid = fresh.sid AND polls.ts = fresh.ts;
INSERT INTO polls SELECT * FROM fresh ORDER BY sid, ts;
COMMIT;
CHECKPOINT;
