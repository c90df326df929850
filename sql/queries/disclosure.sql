-- What readers may see of sectors with a rule of small cells.

-- name: select_rules
SELECT sector, below, units FROM small_cell_rule ORDER BY sector

-- name: select_groups
-- All cells of periods of sectors, with what was decided of them before.
SELECT c.sector, c.period, c.bucket, c.area_id, a.parent_id, c.figures, c.updated_at, d.figures_at, d.hidden
FROM unnest(%(sectors)s::text[], %(periods)s::text[], %(buckets)s::date[]) AS w (sector, period, bucket)
JOIN indicator_cell c ON c.sector = w.sector AND c.period = w.period AND c.bucket = w.bucket
    AND c.bucket BETWEEN %(first)s AND %(last)s
JOIN area a USING (area_id)
LEFT JOIN disclosure_cell d ON d.sector = c.sector AND d.period = c.period AND d.area_id = c.area_id AND d.bucket = c.bucket
ORDER BY c.area_id

-- name: keep_decided
INSERT INTO disclosure_cell (sector, period, area_id, bucket, figures_at, hidden, figures)
VALUES (%s, %s, %s, %s, %s, %s, %s::double precision[])
ON CONFLICT (sector, period, area_id, bucket) DO UPDATE
SET figures_at = excluded.figures_at, hidden = excluded.hidden, figures = excluded.figures

-- name: take_group_changes
-- Marks of periods that are looked at: each period once.
DELETE FROM figure_change change
USING (
    SELECT f.sector, f.period, f.area_id, f.bucket FROM figure_change f
    JOIN unnest(%(sectors)s::text[], %(periods)s::text[], %(buckets)s::date[]) AS w (sector, period, bucket)
      ON f.sector = w.sector AND f.period = w.period AND f.bucket = w.bucket
    FOR UPDATE OF f SKIP LOCKED
) taken
WHERE change.sector = taken.sector AND change.period = taken.period AND change.area_id = taken.area_id
  AND change.bucket = taken.bucket
RETURNING change.sector, change.period, change.area_id, change.bucket, change.before, change.changed_at

-- name: clear_rules
DELETE FROM small_cell_rule WHERE NOT sector = ANY (%(sectors)s::text[])

-- name: set_rule
INSERT INTO small_cell_rule (sector, below, units) VALUES (%(sector)s, %(below)s, %(units)s)
ON CONFLICT (sector) DO UPDATE SET below = excluded.below, units = excluded.units

-- name: forget_decided
DELETE FROM disclosure_cell WHERE sector = ANY (%(sectors)s::text[])

-- name: forget_cells
DELETE FROM disclosure_cell
WHERE sector = %(sector)s AND period = %(period)s AND bucket = %(bucket)s AND area_id = ANY (%(areas)s)
RETURNING area_id, hidden

-- name: mark_sectors
-- Every cell is looked at again.
INSERT INTO figure_change (sector, period, area_id, bucket, before)
SELECT sector, period, area_id, bucket, figures FROM indicator_cell WHERE sector = ANY (%(sectors)s::text[])
ORDER BY sector, period, area_id, bucket
ON CONFLICT (sector, period, area_id, bucket) DO NOTHING

-- name: select_hidden
-- Whether a figure that there is is hidden from readers.
SELECT c.figures[i.slot] IS NOT NULL AND shown.figures[i.slot] IS NULL AS hidden
FROM indicator i
JOIN indicator_cell c ON c.sector = i.sector
JOIN shown_cell shown ON shown.sector = c.sector AND shown.period = c.period AND shown.area_id = c.area_id AND shown.bucket = c.bucket
WHERE i.live AND i.code = %(code)s AND c.period = %(period)s AND c.area_id = %(area_id)s AND c.bucket = %(bucket)s
