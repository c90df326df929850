"""A Grafana in the test's own process, as strict as the real one.

It holds the part that the project uses, by the rules of Grafana 9.4 (read in its source and seen on a running
server): the HTTP API (`api`), file provisioning (`files`), and the evaluation of rules with their messages
(`alerts`). What later releases do differently is in `release`, each difference with its source. It refuses every
request that it does not know, so that a test cannot pass on an assumption.
"""
