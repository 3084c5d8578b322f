"""What to train and how: one TOML file a recipe."""
