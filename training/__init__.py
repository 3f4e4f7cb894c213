"""Trains the model that the package ships: the block model (pipeline/extract/model/blockmodel.npz).

`train_blocks` is the command. `samples` reads labelled pages, `labels` decides which blocks of a page are the
article, `name_odds` learns what class and id names say, `forest` turns trained trees into arrays.
"""
