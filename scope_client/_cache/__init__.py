"""What is known of a prompt, and when the platform is asked again: `policy` decides it, `cache` carries it out."""
