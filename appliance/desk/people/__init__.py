"""Who somebody is, which roles they hold, and what is kept about them under a legal hold."""
