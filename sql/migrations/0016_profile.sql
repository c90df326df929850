-- Whose data this is: one province a database.
CREATE TABLE profile (
    only_row    boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    code        text NOT NULL,
    name_vi     text NOT NULL,
    name_en     text NOT NULL,
    loaded_at   timestamptz NOT NULL DEFAULT now()
);
