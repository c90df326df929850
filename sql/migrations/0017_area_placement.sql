-- How units take over from one another, worked out of areas.csv when the profile is loaded.
CREATE TABLE area_place (
    area_id     integer NOT NULL REFERENCES area,
    since       date NOT NULL,                        -- '-infinity' in the first row of a unit
    until       date NOT NULL,                        -- exclusive
    place_id    integer NOT NULL REFERENCES area,     -- where what is counted for area_id on such a day counts
    PRIMARY KEY (area_id, since)
);
CREATE TABLE area_standing (
    origin_id   integer NOT NULL REFERENCES area,
    area_id     integer NOT NULL REFERENCES area,
    since       date NOT NULL,                        -- from when origin's counts stand in the running totals of area_id
    PRIMARY KEY (area_id, origin_id)
);
