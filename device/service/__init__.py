"""``watch`` as a service of systemd: its unit, and telling systemd that it lives."""
