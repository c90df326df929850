-- The same texts, ten times as fast: PostgreSQL does not inline SQL functions that hold a query, and a board calls these
-- thousands of times.
CREATE OR REPLACE FUNCTION number_text(value double precision, decimals integer, language text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    shown text;
BEGIN
    IF value IS NULL OR value IN ('NaN', 'Infinity', '-Infinity') THEN
        RETURN NULL;
    END IF;
    IF decimals > 0 THEN
        shown := rtrim(rtrim(to_char(round(value::numeric, decimals),
                                     'FM999,999,999,999,999,999,990.' || repeat('0', decimals)), '0'), '.');
    ELSE
        shown := to_char(round(value::numeric), 'FM999,999,999,999,999,999,990');
    END IF;
    IF language = 'vi' THEN
        RETURN translate(shown, ',.', '.,');
    END IF;
    RETURN shown;
END
$$;

CREATE OR REPLACE FUNCTION amount_text(value double precision, unit text, language text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    vietnamese boolean := language = 'vi';
BEGIN
    IF value IS NULL OR value IN ('NaN', 'Infinity', '-Infinity') THEN
        RETURN NULL;
    END IF;
    IF unit = '%' THEN
        RETURN number_text(value, CASE WHEN round(value::numeric, 1) IN (0, 100) THEN 2 ELSE 1 END, language)
               || CASE WHEN vietnamese THEN ' %' ELSE '%' END;
    END IF;
    IF unit = 'đồng' OR unit LIKE 'đồng/%' THEN
        IF abs(value) >= 999995000 THEN
            RETURN number_text(value / 1e9, 2, language) || CASE WHEN vietnamese THEN ' tỷ ' ELSE ' billion ' END || unit;
        ELSIF abs(value) >= 1e6 THEN
            RETURN number_text(value / 1e6, 2, language) || CASE WHEN vietnamese THEN ' triệu ' ELSE ' million ' END || unit;
        END IF;
        RETURN number_text(value, 0, language) || ' ' || unit;
    END IF;
    RETURN number_text(value, CASE WHEN abs(value) < 0.1 THEN 4 ELSE 2 END, language) || rtrim(' ' || unit);
END
$$;

CREATE OR REPLACE FUNCTION change_text(difference double precision, unit text, language text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    IF unit = '%' THEN
        RETURN CASE WHEN difference > 0 THEN '+' ELSE '' END || number_text(difference, 1, language)
               || CASE language WHEN 'vi' THEN ' điểm %' ELSE ' points' END;
    END IF;
    RETURN CASE WHEN difference > 0 THEN '+' ELSE '' END || amount_text(difference, unit, language);
END
$$;
