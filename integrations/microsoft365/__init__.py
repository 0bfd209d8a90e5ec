"""Microsoft 365: the directory, mail settings, devices and alerts of each client, by Microsoft Graph."""
