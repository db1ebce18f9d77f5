"""What is known of a prompt, how old it may be, and when the platform is asked again."""
