"""Carrying a processor's value to the ticket's source, under a grant a person answers for, and back again."""
