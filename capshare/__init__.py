"""Share production capacity between firms: a market on a permissioned chain, and its tools."""

__version__ = "0.1.0"

#: Version of the market's rules that these contracts, ledger and artifacts follow. Recorded at
#: deployment; clients refuse to sign for a deployment whose version they do not know.
RULES_VERSION = 1
