"""Motion: the skeleton, its representations, contacts, files."""
