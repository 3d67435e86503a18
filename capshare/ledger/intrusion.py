"""What everybody but the deployment's own contracts is told by functions that obey them alone."""

from __future__ import annotations

from capshare.ledger.calldata import RESTRICTED
from capshare.ledger.commands import Intrude
from capshare.ledger.core import Refused, Transaction, decides


@decides(Intrude)
def _intrude(tx: Transaction, command: Intrude) -> None:
    raise Refused(RESTRICTED[command.contract, command.function], command.sender)
