"""From a song to what a dancer hears in it: timbre, energy and the beat."""
