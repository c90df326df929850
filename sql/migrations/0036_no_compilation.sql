-- Statements with an expression for every measure take longer to compile than to run, and a compilation heeds neither
-- a timeout nor a cancellation. The project's own connections switch it off themselves; Grafana's cannot.
DO $$
BEGIN
    EXECUTE format('ALTER DATABASE %I SET jit = off', current_database());
EXCEPTION WHEN insufficient_privilege THEN
    RAISE NOTICE 'The database is not owned by %: set jit = off for it by hand.', current_user;
END
$$;
