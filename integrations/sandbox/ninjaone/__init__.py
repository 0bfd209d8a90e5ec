"""NinjaOne's public API, played on loopback."""
