"""How right a processor would have been on closed tickets, before it is switched on."""
