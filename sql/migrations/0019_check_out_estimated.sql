-- A check-out that is the planned one, because the source (the police template for Vietnamese guests) cannot tell it.
ALTER TABLE tourism_stay ADD COLUMN check_out_estimated boolean;
