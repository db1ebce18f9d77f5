"""What a user feels, measured beside the plain thing that they would write by hand."""
