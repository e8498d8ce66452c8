"""All texts that people read, in English and German."""
