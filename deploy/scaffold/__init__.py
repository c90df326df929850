"""Writing what a new feed needs into a checkout: `ioc feed new`."""
