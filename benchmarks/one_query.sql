-- The whole report by the method "nearest" as one query, for comparison: intervals as ranges,
-- merged by range_agg; neighbouring observations by window functions; durations by clipping every
-- pair of an observation's span and an open interval. Durations are in half microseconds.
-- It reads eight days: observations before those are not looked for, which is to its advantage.
-- Wall-clock times that a change of clocks skips or repeats are PostgreSQL's choice.
COPY (
WITH moment AS (
    SELECT {as_of}::bigint AS t, {as_of}::bigint - 8 * 86400000000 AS lo
),
day AS (
    SELECT d::date AS d, extract(isodow FROM d)::int - 1 AS day_of_week
    FROM moment, generate_series(
        to_timestamp(lo / 1000000) AT TIME ZONE 'UTC' - interval '2 days',
        to_timestamp(t / 1000000) AT TIME ZONE 'UTC' + interval '2 days', '1 day') AS d
),
wall AS (
    SELECT store_id AS id, coalesce(timezone, 'America/Chicago') AS zone, d, start_time,
        CASE WHEN end_time >= 86340000000 THEN 86400000000
             WHEN end_time <= start_time THEN end_time + 86400000000
             ELSE end_time END AS end_time
    FROM (SELECT h.store_id, s.timezone, h.day_of_week, h.start_time, h.end_time
          FROM business_hours h JOIN store s ON s.id = h.store_id) AS hours
    JOIN day USING (day_of_week)
),
instant AS (
    SELECT id,
        (extract(epoch FROM (d + start_time * interval '1 microsecond') AT TIME ZONE zone)
            * 1000000)::bigint AS a,
        (extract(epoch FROM (d + end_time * interval '1 microsecond') AT TIME ZONE zone)
            * 1000000)::bigint AS b
    FROM wall
),
open AS MATERIALIZED (
    SELECT id, unnest(range_agg(int8range(a, b)) * int8multirange(int8range(lo, t))) AS r
    FROM moment, (
        SELECT id, a, b FROM instant WHERE a < b
        UNION ALL
        SELECT id, lo, t FROM moment, store
        WHERE NOT EXISTS (SELECT FROM business_hours h WHERE h.store_id = store.id)
    ) AS intervals
    GROUP BY id, lo, t
),
observation AS (
    SELECT id, p.timestamp AS t, p.status, r,
        lag(p.timestamp) OVER w AS t_before, lag(upper(r)) OVER w AS end_before,
        lead(p.timestamp) OVER w AS t_after, lead(lower(r)) OVER w AS start_after
    FROM moment JOIN poll_row p ON p.timestamp BETWEEN lo AND moment.t
    JOIN open ON open.id = p.store_id AND (r @> p.timestamp OR
        (p.timestamp = moment.t AND upper(r) = moment.t))
    WINDOW w AS (PARTITION BY id ORDER BY p.timestamp)
),
span AS MATERIALIZED (
    SELECT id, status,
        CASE WHEN t_before IS NULL THEN 2 * lo
             WHEN end_before = upper(r) THEN t_before + o.t
             ELSE greatest(2 * end_before, least(t_before + o.t, 2 * lower(r))) END AS a,
        CASE WHEN t_after IS NULL THEN 2 * moment.t
             WHEN start_after = lower(r) THEN o.t + t_after
             ELSE greatest(2 * upper(r), least(o.t + t_after, 2 * start_after)) END AS b
    FROM moment, observation o
),
piece AS (
    SELECT span.id, status, moment.t,
        greatest(a, 2 * lower(r)) AS a, least(b, 2 * upper(r)) AS b
    FROM moment, span JOIN open ON open.id = span.id AND 2 * lower(r) < b AND a < 2 * upper(r)
),
total AS (
    SELECT id, status,
        sum(greatest(0, b - greatest(a, 2 * (t - 3600000000)))) AS hour,
        sum(greatest(0, b - greatest(a, 2 * (t - 86400000000)))) AS day,
        sum(greatest(0, b - greatest(a, 2 * (t - 604800000000)))) AS week
    FROM piece GROUP BY id, status
)
SELECT store.store_id,
    round(coalesce(up.hour, 0) / 120000000, 2), round(coalesce(up.day, 0) / 7200000000, 2),
    round(coalesce(up.week, 0) / 7200000000, 2),
    round(coalesce(down.hour, 0) / 120000000, 2), round(coalesce(down.day, 0) / 7200000000, 2),
    round(coalesce(down.week, 0) / 7200000000, 2)
FROM store
LEFT JOIN total up ON up.id = store.id AND up.status = 1
LEFT JOIN total down ON down.id = store.id AND down.status = 0
ORDER BY store.store_id
) TO STDOUT (FORMAT CSV)
