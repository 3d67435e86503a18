"""A deployment plan as a TOML file: parameters, token, founders, validators.

```toml
parameters = "pilot"                 # a shipped set, or the path of a parameter file
validators = ["0x…"]                 # node addresses; at least one

[token]
address = "0x…"                      # an ERC-20 there already; or, on a devnet, a new one:
# name = "Euro (test)"; symbol = "EUR"; decimals = 3

[[founders]]
account = "0x…"
name = "宁德精工有限公司"
identity = "uscc:91350100M000100Y43"
roles = ["council", "validator"]
```
"""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from eth_utils.address import is_address

from capshare import parameters
from capshare.deploy import Founder, Plan, TokenTerms
from capshare.errors import NotFound, UsageError
from capshare.identity import clean_name, identity
from capshare.parameters import Parameters

ROLES: Mapping[str, int] = {
    "trader": 1,
    "council": 2,
    "validator": 4,
    "arbiter": 8,
    "auditor": 16,
    "attestor": 32,
}

DEVNET_TOKEN = TokenTerms(name="Euro (devnet)", symbol="EUR", decimals=3)
_DECIMALS_UNKNOWN = "[token] needs decimals: amounts in the parameters are whole units of the token"


def read_plan(path: Path, name: str) -> Plan:
    """Read a plan file; raise NotFound or UsageError with what is wrong and where."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise NotFound(f"no plan file at {path}", next_step="write one, or use --devnet") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is no TOML: {error}", next_step="correct the file") from error
    unknown = raw.keys() - {"parameters", "validators", "token", "founders"}
    if unknown:
        raise UsageError(f"{path} has unknown keys: {', '.join(sorted(unknown))}")
    try:
        token = raw["token"]
        return Plan(
            name=name,
            parameters=_parameters(raw["parameters"], path.parent, _decimals(token)),
            founders=tuple(_founder(entry, n) for n, entry in enumerate(raw["founders"], 1)),
            validators=tuple(_address(v, "validators") for v in raw["validators"]),
            token=_address(token["address"], "token") if "address" in token else _new(token),
        )
    except KeyError as error:
        raise UsageError(f"{path} lacks {error.args[0]!r}", next_step="add it") from error


def devnet_plan(name: str, set_name: str, accounts: Sequence[str]) -> Plan:
    """Return a plan whose founders are a devnet's first accounts, with a new token."""
    founders = tuple(
        Founder(
            account=account,
            name=f"Founder {n}",
            identity=identity(f"other:devnet founder {n}").hash(),
            roles=ROLES["council"] | ROLES["validator"],
        )
        for n, account in enumerate(accounts, 1)
    )
    return Plan(
        name=name,
        parameters=parameters.load(set_name, DEVNET_TOKEN.decimals).parameters,
        founders=founders,
        validators=tuple(accounts),
        token=DEVNET_TOKEN,
    )


def _parameters(given: str, folder: Path, decimals: int) -> Parameters:
    if given in parameters.names():
        return parameters.load(given, decimals).parameters
    path = folder / given
    if not path.is_file():
        raise NotFound(
            f"no parameter set or file {given!r}",
            next_step=f"use one of {', '.join(parameters.names())}, or a file beside the plan",
        )
    return parameters.read(path, decimals).parameters


def _decimals(token: Mapping[str, Any]) -> int:
    decimals = token.get("decimals")
    if not isinstance(decimals, int) or not 0 <= decimals <= 24:
        raise UsageError(_DECIMALS_UNKNOWN, next_step="add decimals, 0 to 24")
    return decimals


def _new(token: Mapping[str, Any]) -> TokenTerms:
    return TokenTerms(
        name=str(token["name"]), symbol=str(token["symbol"]), decimals=_decimals(token)
    )


def _founder(entry: Mapping[str, Any], number: int) -> Founder:
    roles = 0
    for role in entry["roles"]:
        if role not in ROLES:
            raise UsageError(
                f"founder {number} has role {role!r}", next_step=f"use {', '.join(ROLES)}"
            )
        roles |= ROLES[role]
    return Founder(
        account=_address(entry["account"], f"founder {number}"),
        name=clean_name(str(entry["name"])),
        identity=identity(str(entry["identity"])).hash(),
        roles=roles,
        region=str(entry.get("region", "")),
        industry=str(entry.get("industry", "")),
        group=int(entry.get("group", 0)),
    )


def _address(given: object, where: str) -> str:
    if not isinstance(given, str) or not is_address(given):
        raise UsageError(f"{where}: {given!r} is no address", next_step="write 0x and 40 digits")
    return given
