"""A whole market day that plays on a chain in this process, with the orders of a shipped book.

`scenario` chooses who trades what and how it ends, `play` does it through the real contracts,
`report` draws the figures from what came out. Nothing here prints.
"""
