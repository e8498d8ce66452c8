"""Tasks that workers perform: their specifications, and one module for each kind."""
