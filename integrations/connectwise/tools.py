"""ConnectWise tools."""
