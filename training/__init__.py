"""Fine-tuning through TRL and PEFT, and the data it learns from."""
