"""Service levels: hours, clocks, the lists of tickets that need an eye, and the rules that tell people of them."""
