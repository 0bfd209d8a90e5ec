"""What processors find out: which run on a ticket, what is kept of it, what people say of it."""
