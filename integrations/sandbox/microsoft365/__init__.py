"""Microsoft Graph and its sign-in service, played on loopback."""
