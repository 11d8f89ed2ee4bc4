"""`make house`: counts that say whether the house is in order, and the command that prints them.

Owns: what is counted and which counts must be 0. Reads the tree of files alone; runs nothing of the product.
"""
