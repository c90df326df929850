-- The first part of a feed's key is its domain: whose systems send it. A sector is one of the catalogue's.
ALTER TABLE feed RENAME COLUMN sector TO domain;
