"""Alert rules, who is told, and in which words."""
