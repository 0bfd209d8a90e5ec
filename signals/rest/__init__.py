"""REST for sync jobs: deliveries in; signals, feed and state out."""
