"""Learning the label of a ticket from labelled tickets. Pure: no Django, no rows, no network."""
