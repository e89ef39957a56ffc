"""What turns documents and questions into claims and answers."""
