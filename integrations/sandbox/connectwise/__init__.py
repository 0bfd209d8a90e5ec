"""ConnectWise PSA (Manage) REST API 3.0, as far as the product uses it. Anything else is a 404."""
