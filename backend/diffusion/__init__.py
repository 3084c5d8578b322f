"""Diffusion: noise schedule, solver, guidance."""
