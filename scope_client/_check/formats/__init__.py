"""How the outcome of a check is printed: for people, for programs, for GitHub, and as SARIF."""
