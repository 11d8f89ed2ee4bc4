"""A feed profile proposed from files of an unknown export."""
