"""The twin of the contracts: a command is decided into events or a refusal, events make the state.

`decide(state, command)` returns the events that the contracts emit, in order, or the Refusal with
their error and values; `refuse` only the refusal. `apply(state, event, now)` folds the log. No
chain, no clock, no input or output.
"""

from capshare.ledger import (
    assets,
    batches,
    book,
    clearing,
    council,
    credit,
    deals,
    intrusion,
    members,
    vault,
)
from capshare.ledger.calldata import decode_refusal, encode_refusal
from capshare.ledger.conservation import Imbalance, check_conservation
from capshare.ledger.core import Refusal, apply, decide, refuse
from capshare.ledger.state import CONTRACTS, Deployment, State
from capshare.ledger.storage import batch_code, storage_words
from capshare.ledger.views import view

__all__ = [
    "CONTRACTS",
    "Deployment",
    "Imbalance",
    "Refusal",
    "State",
    "apply",
    "assets",
    "batch_code",
    "batches",
    "book",
    "check_conservation",
    "clearing",
    "council",
    "credit",
    "deals",
    "decide",
    "decode_refusal",
    "encode_refusal",
    "intrusion",
    "members",
    "refuse",
    "storage_words",
    "vault",
    "view",
]
