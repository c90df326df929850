"""What the HTTP services share: the access log, bearer tokens, limits of rate."""
