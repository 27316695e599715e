"""Mission models beside each other, and over the points of a design."""
