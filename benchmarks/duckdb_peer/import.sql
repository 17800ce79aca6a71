-- The three CSV files of this folder, each read once: a poll is known by store and time, the later
-- line wins.
CREATE TEMP TABLE z AS SELECT store_id, last(timezone_str) AS zone FROM read_csv('timezones.csv', header=true, auto_detect=false, delim=',', quote='"', columns={'store_id':'VARCHAR','timezone_str':'VARCHAR'}) GROUP BY 1;
CREATE TEMP TABLE h AS SELECT * FROM read_csv('business_hours.csv', header=true, auto_detect=false, delim=',', quote='"', columns={'store_id':'VARCHAR','dow':'TINYINT','a':'VARCHAR','b':'VARCHAR'});
CREATE TEMP TABLE p AS SELECT store_id, lower(status) = 'active' AS active, epoch_us(t[:26]::TIMESTAMP) AS ts
  FROM read_csv('polls.csv', header=true, auto_detect=false, delim=',', quote='"', columns={'store_id':'VARCHAR','status':'VARCHAR','t':'VARCHAR'});
CREATE TABLE store AS
  SELECT (row_number() OVER (ORDER BY a.store_id) - 1)::INTEGER AS sid, a.store_id, z.zone
  FROM (SELECT store_id FROM z UNION SELECT store_id FROM h UNION SELECT store_id FROM p) a LEFT JOIN z USING (store_id) ORDER BY a.store_id;
CREATE TABLE hours AS
  SELECT DISTINCT s.sid, dow, epoch_us(a::TIME)::BIGINT AS a,
    CASE WHEN b = '24:00' THEN 86400000000 ELSE epoch_us(b::TIME) END::BIGINT AS b
  FROM h JOIN store s USING (store_id) ORDER BY 1, 2, 3;
CREATE TABLE polls AS
  SELECT s.sid, ts, arg_max(active, n) AS active FROM (SELECT store_id, ts, active, rowid AS n FROM p) q JOIN store s USING (store_id) GROUP BY s.sid, ts ORDER BY s.sid, ts;
CHECKPOINT;
