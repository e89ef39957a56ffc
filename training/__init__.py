"""Fine-tuning through TRL and PEFT. Empty until the extractor is tuned."""
