"""The demo world: two rival MSPs, their people, clients, devices and tickets, as facts no vendor owns."""
