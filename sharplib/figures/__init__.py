"""Figures of the book: one style, one module per topic; each function returns a Figure."""
