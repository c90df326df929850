"""Publishing through the gateway: from files, and from registers of the profile."""
