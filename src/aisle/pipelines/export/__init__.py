"""`aisle export`: a trained shop for other programs."""
