"""What leaves the intake: sealed contributions to officers, and counts per group."""
