"""The APIs of Sophos Central, played on loopback: identity and global server at `/sophos`, regions one path deeper."""
