"""What people feel, measured beside the plain thing that a user would write by hand."""
