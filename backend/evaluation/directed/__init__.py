"""Judge what an animator can direct: key poses, edited beats, continuing, passages made anew, dances of any length."""
