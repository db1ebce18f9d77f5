"""What a client is told: options, the rules that they obey, and credentials."""
