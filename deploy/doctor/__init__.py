"""Whether everything that the platform needs is there and as it has to be; and what to do where it is not."""
