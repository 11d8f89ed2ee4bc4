"""What became of dropped files, and whether a feed is as it usually is."""
