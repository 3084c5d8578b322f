"""How a dance is judged: one metric a module, numpy only, and one report over them."""
