"""Pollers: what sector systems do not send is fetched from them, as the profile declares."""
