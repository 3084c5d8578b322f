"""Words: the sentence encoder, the vocabulary of dances, and the captions a model is trained on."""
