"""The market without a chain: book → allocation → proven prices → deals.

Pure functions over integers, the twin of contracts/Clearing.sol: `solver` finds the best
allocation, `certificate` proves that it is one and derives the prices, `submission` is the form in
which a clearing travels, `effects` what it changes, `commitment` the root over its deals.
"""
