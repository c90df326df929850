-- What was corrected: the revisions that do not stand, of records that lie or count in a cell, or once did.

-- name: corrections
WITH step AS MATERIALIZED ({steps}), day AS (
    SELECT (recorded_at AT TIME ZONE %(timezone)s)::date AS day, feed, count(*) AS revisions,
           count(*) FILTER (WHERE late) AS late, count(*) FILTER (WHERE gone) AS voided
    FROM step GROUP BY 1, 2
), page AS (
    SELECT * FROM step ORDER BY recorded_at DESC, feed, key, revision LIMIT %(limit)s OFFSET %(offset)s
)
SELECT coalesce((SELECT jsonb_agg(d ORDER BY day, feed) FROM day d), '[]') AS days,
       (SELECT count(*) FROM step) AS total,
       (SELECT coalesce(sum(older), 0)::bigint FROM (SELECT DISTINCT feed, key, older FROM step) record) AS older,
       coalesce((SELECT jsonb_agg(p ORDER BY recorded_at DESC, feed, key, revision) FROM page p), '[]') AS page

-- name: adding
({place} AND {adds} <> 0)

-- name: amount_here
CASE WHEN {place} THEN {adds} ELSE 0 END

-- name: dated
(h.record ->> {column}) COLLATE "C" BETWEEN {first} AND {last}

-- name: steps_of_feed
(WITH touched AS (
    SELECT h.key FROM record_revision h JOIN feed f USING (feed_id) WHERE f.key = {feed} AND ({dated})
    UNION
    SELECT s.key FROM {table} s WHERE ({here}) AND EXISTS (SELECT FROM record_revision h WHERE h.key = s.key)
), recent AS (
    -- A sender that counts every second has thousands of revisions of one record; the newest are looked at.
    SELECT h.* FROM touched CROSS JOIN LATERAL (
        SELECT * FROM record_revision h WHERE h.key = touched.key ORDER BY h.revision DESC LIMIT {newest}
    ) h
), left_out AS (
    SELECT key, (SELECT count(*) FROM record_revision h WHERE h.key = recent.key) - {newest} AS older
    FROM recent GROUP BY key HAVING count(*) = {newest}
), revision AS (
    SELECT h.key, h.revision, h.recorded_at, h.superseded, false AS winning, h.record IS NULL AS void, past AS content
    FROM recent h
    LEFT JOIN area a ON a.code = h.record ->> 'area_code'
     AND (h.record ->> 'effective_on')::date >= a.valid_from AND (h.record ->> 'effective_on')::date < a.valid_to
    CROSS JOIN LATERAL jsonb_populate_record(NULL::{table}, h.record || jsonb_build_object(
        'area_id', a.area_id, 'effective_at', h.record ->> 'effective_on')) AS past
    UNION ALL
    SELECT i.key, i.revision, s.recorded_at, false, true, i.effective_at IS NULL, s
    FROM touched JOIN record_identity i USING (key)
    LEFT JOIN {table} s ON s.key = i.key AND s.effective_at = i.effective_at
), judged AS (
    SELECT r.key, r.revision, r.recorded_at, r.superseded, r.winning, r.void, x.*
    FROM revision r CROSS JOIN LATERAL (
        SELECT record_key, reporter, ({here}) IS TRUE AS here, jsonb_build_array({amounts}) AS before
        FROM (SELECT (r.content).*) content) x
), ordered AS (
    -- By the times, what was kept before it was noted; of one transaction they are all the same. What no revision
    -- won of moved no figure: before they were refused, first revisions below 0 were kept and stood nowhere.
    SELECT *, superseded OR NOT bool_or(winning) OVER (PARTITION BY key) OR coalesce(recorded_at > min(recorded_at) OVER (
        PARTITION BY key ORDER BY revision ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING), false) AS late
    FROM judged
), followed AS (
    -- What replaced a revision is the next one that ever won.
    SELECT key, revision, recorded_at, winning, late, here, before,
           max(record_key) OVER record AS record_key, max(reporter) OVER record AS reporter,
           bool_or(winning AND void) OVER record AS gone,
           lead(before) OVER won AS after, lead(here) OVER won AND NOT late AS here_after
    FROM ordered WINDOW record AS (PARTITION BY key), won AS (PARTITION BY key, late ORDER BY revision)
)
SELECT {feed} AS feed, key, record_key, reporter, revision, recorded_at, late, gone, before, after,
       coalesce(older, 0) AS older
FROM followed LEFT JOIN left_out USING (key) WHERE NOT winning AND (here OR here_after))
