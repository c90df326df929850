-- One word for one thing: a placement says in which unit an area counts; a carry-over, whose running totals it is part of.
ALTER TABLE area_place RENAME TO area_placement;
ALTER TABLE area_placement RENAME COLUMN place_id TO unit_id;
ALTER TABLE area_placement RENAME CONSTRAINT area_place_pkey TO area_placement_pkey;
ALTER TABLE area_placement RENAME CONSTRAINT area_place_area_id_fkey TO area_placement_area_id_fkey;
ALTER TABLE area_placement RENAME CONSTRAINT area_place_place_id_fkey TO area_placement_unit_id_fkey;
ALTER TABLE area_standing RENAME TO area_carry_over;
ALTER TABLE area_carry_over RENAME CONSTRAINT area_standing_pkey TO area_carry_over_pkey;
ALTER TABLE area_carry_over RENAME CONSTRAINT area_standing_area_id_fkey TO area_carry_over_area_id_fkey;
ALTER TABLE area_carry_over RENAME CONSTRAINT area_standing_origin_id_fkey TO area_carry_over_origin_id_fkey;
