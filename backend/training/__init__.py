"""Training: data, pairing of dance and music, losses, the loop."""
