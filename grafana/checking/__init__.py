"""What is wrong with boards and rules: from their JSON alone, and against the database."""
