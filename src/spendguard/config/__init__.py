"""Config: one TOML file becomes core values."""
