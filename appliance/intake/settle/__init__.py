"""Who attended which call: taking files, matching units to people, versions, and what is forgotten when."""
