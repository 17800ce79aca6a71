-- The report (method nearest), exact, as one DuckDB query. Instants: int64 microseconds UTC;
-- durations and readings of each store's "open clock": half microseconds.
-- Reads 8 days of polls (no carry-in of older observations).
CREATE OR REPLACE TEMP MACRO H() AS 3600000000;
CREATE OR REPLACE TEMP MACRO D() AS 86400000000;
CREATE OR REPLACE TEMP MACRO cents(x, u) AS x // u + ((2 * (x % u) > u) OR (2 * (x % u) = u AND (x // u) % 2 = 1))::BIGINT;
CREATE OR REPLACE TEMP MACRO txt2(c) AS (c // 100)::VARCHAR || '.' || lpad((c % 100)::VARCHAR, 2, '0');
CREATE OR REPLACE TEMP MACRO txt(x, u) AS txt2(cents(x, u));
COPY (
WITH
moment AS MATERIALIZED (SELECT max(ts) AS t, max(ts) - 8 * D() AS lo FROM polls),
-- offsets of each zone: sampled hourly, changes found to the minute
sample AS (
  SELECT zone, u, (epoch_us(timezone(zone, make_timestamptz(u))) - u)::BIGINT AS o
  FROM (SELECT DISTINCT coalesce(zone, 'America/Chicago') AS zone FROM store),
       (SELECT unnest(generate_series((lo // H()) * H() - 4 * D(), t + 4 * D(), H())) AS u FROM moment)),
changed AS (
  SELECT zone, u, o, lag(u) OVER w AS u0, lag(o) OVER w AS o0 FROM sample
  WINDOW w AS (PARTITION BY zone ORDER BY u) QUALIFY o0 IS NULL OR o <> o0),
offs AS (
  SELECT zone, CASE WHEN o0 IS NULL THEN -4000000000000000000 ELSE (
     SELECT min(m) FROM unnest(generate_series(u0, u, 60000000)) g(m)
     WHERE epoch_us(timezone(zone, make_timestamptz(m))) - m <> o0) END AS beg, o, o0
  FROM changed),
off AS MATERIALIZED (
  SELECT zone, beg, o,
    CASE WHEN o0 IS NULL THEN -4000000000000000000 ELSE beg + o0 END AS reached,   -- wall clock at which it begins (starts)
    CASE WHEN o0 IS NULL THEN -4000000000000000000 ELSE beg + o END AS coming,     -- (ends)
    coalesce(lead(beg) OVER (PARTITION BY zone ORDER BY beg), 4000000000000000000) AS nxt
  FROM offs),
wall AS (
  SELECT h.sid, coalesce(s.zone, 'America/Chicago') AS zone, d * D() + a AS a,
    d * D() + CASE WHEN b >= D() - 60000000 THEN D() WHEN b <= a THEN b + D() ELSE b END AS b
  FROM moment, hours h JOIN store s ON s.sid = h.sid
  JOIN (SELECT unnest(generate_series(lo // D() - 3, t // D() + 1)) AS d FROM moment) days ON (d + 3) % 7 = dow),
utc AS (
  SELECT sid, greatest(x.beg, w.a - x.o) AS a, least(y.nxt, w.b - y.o) AS b
  FROM wall w ASOF JOIN off x ON w.zone = x.zone AND w.a >= x.reached
  ASOF JOIN off y ON w.zone = y.zone AND w.b >= y.coming),
edge AS (
  SELECT sid, a, b, max(b) OVER (PARTITION BY sid ORDER BY a ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS m
  FROM utc WHERE a < b),
isle AS (SELECT sid, a, b, sum((m IS NULL OR a > m)::INT) OVER (PARTITION BY sid ORDER BY a ROWS UNBOUNDED PRECEDING) AS i FROM edge),
merged AS (
  SELECT sid, min(a) AS a, max(b) AS b FROM isle GROUP BY sid, i
  UNION ALL SELECT s.sid, lo - D(), t + D() FROM moment, store s ANTI JOIN hours USING (sid)),
opened AS MATERIALIZED (
  SELECT sid, a, b, 2 * (sum(b - a) OVER w - (b - a))::BIGINT AS total, row_number() OVER w AS i FROM merged
  WINDOW w AS (PARTITION BY sid ORDER BY a ROWS UNBOUNDED PRECEDING)),
-- observations: polls inside open intervals
obs AS (
  SELECT p.sid, p.ts, p.active, o.a, o.b, o.total, o.i
  FROM (SELECT p.* FROM polls p, moment WHERE ts >= lo) p ASOF JOIN opened o ON p.sid = o.sid AND p.ts >= o.a
  WHERE p.ts < o.b),
-- those at which the status changes, with the one before
turn AS MATERIALIZED (
  SELECT sid, ts, active, a, b, total, i, lag(ts) OVER w AS ts0, lag(i) OVER w AS i0, lag(b) OVER w AS b0, lag(active) OVER w AS active0
  FROM obs WINDOW w AS (PARTITION BY sid ORDER BY ts)
  QUALIFY active0 IS NULL OR active <> active0),
begun AS (
  SELECT sid, ts, active, CASE WHEN ts0 IS NULL THEN -1
     WHEN i = i0 THEN ts0 + ts - 2 * a + total
     ELSE total END AS r
  FROM turn WHERE i0 IS NULL OR i - i0 <= 1
  UNION ALL  -- unobserved intervals between the two: midpoint between, on the clock
  SELECT n.sid, n.ts, n.active, o.total + least(n.at2 - 2 * o.a, 2 * (o.b - o.a))
  FROM (SELECT sid, ts, active, greatest(2 * b0, least(ts0 + ts, 2 * a)) AS at2 FROM turn WHERE i - i0 > 1) n
  ASOF JOIN opened o ON n.sid = o.sid AND n.at2 >= 2 * o.a),
run AS (SELECT sid, active, r, coalesce(lead(r) OVER (PARTITION BY sid ORDER BY ts), 4000000000000000000) AS r1 FROM begun),
-- readings of the clock at as_of and the beginnings of the windows
edges AS (
  SELECT sid, max(r) FILTER (k = 0) AS now, max(r) FILTER (k = 1) AS h, max(r) FILTER (k = 24) AS d, max(r) FILTER (k = 168) AS w
  FROM (SELECT q.sid, q.k, coalesce(o.total + least(2 * (q.u - o.a), 2 * (o.b - o.a)), 0) AS r
        FROM (SELECT s.sid, k, t - k * H() AS u FROM moment, (SELECT DISTINCT sid FROM turn) s, (VALUES (0), (1), (24), (168)) v(k)) q
        ASOF LEFT JOIN opened o ON q.sid = o.sid AND q.u >= o.a)
  GROUP BY sid),
up AS (
  SELECT e.sid, any_value(now - h) AS open_h, any_value(now - d) AS open_d, any_value(now - w) AS open_w,
    sum(greatest(0, least(r1, now) - greatest(r, h)) * active::INT)::BIGINT AS h,
    sum(greatest(0, least(r1, now) - greatest(r, d)) * active::INT)::BIGINT AS d,
    sum(greatest(0, least(r1, now) - greatest(r, w)) * active::INT)::BIGINT AS w
  FROM run JOIN edges e ON e.sid = run.sid GROUP BY e.sid),
numbers AS (
  SELECT s.store_id, coalesce(h, 0) AS uh, coalesce(d, 0) AS ud, coalesce(w, 0) AS uw,
    coalesce(open_h - h, 0) AS dh, coalesce(open_d - d, 0) AS dd, coalesce(open_w - w, 0) AS dw
  FROM store s LEFT JOIN up USING (sid))
SELECT store_id, txt(uh, 1200000) AS uptime_last_hour, txt(ud, 72000000) AS uptime_last_day, txt(uw, 72000000) AS uptime_last_week,
  txt(dh, 1200000) AS downtime_last_hour, txt(dd, 72000000) AS downtime_last_day, txt(dw, 72000000) AS downtime_last_week
FROM numbers ORDER BY store_id
) TO '$FILE' (FORMAT CSV, HEADER, QUOTE '');
