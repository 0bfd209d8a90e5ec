"""Ranking of documents for a query. Pure: no Django, no rows, no network."""
