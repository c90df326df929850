-- Which traced transactions of workers wait to be folded, so that a trace reaches the figures. `appended_at` is that of their
-- contributions: the time of the transaction. Empty unless traces are on (IOC_TRACE_URL); the worker keeps it short.
CREATE TABLE contribution_trace (
    appended_at timestamptz NOT NULL DEFAULT now(),
    traceparent text NOT NULL CHECK (length(traceparent) = 55)     -- W3C Trace Context: random numbers, nothing of an event
);
GRANT SELECT, INSERT ON contribution_trace TO {worker};
GRANT SELECT, DELETE ON contribution_trace TO {rollup};
