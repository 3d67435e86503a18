// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import {ICapacityBook} from "../interfaces/ICapacityBook.sol";
import {Parameters} from "../types/Parameters.sol";

/// @title ParameterRules
/// @notice What a deployment's numbers must be for the contracts to work at all. Says nothing of whether they are wise.
library ParameterRules {
    uint256 private constant WHOLE = 10_000; // rates are in 1/10,000

    function check(Parameters memory p) internal pure {
        require(p.round != 0, ICapacityBook.BadParameter("round"));
        require(p.lock < p.round, ICapacityBook.BadParameter("lock"));
        require(p.goodHalfLife != 0, ICapacityBook.BadParameter("goodHalfLife"));
        require(p.badHalfLife != 0, ICapacityBook.BadParameter("badHalfLife"));
        require(p.disputeRate <= WHOLE, ICapacityBook.BadParameter("disputeRate"));
        for (uint256 band; band < 8; ++band) {
            // More than the whole price would not fit a deal's 72 bits.
            require(p.bondRates[band] <= WHOLE, ICapacityBook.BadParameter("bondRates"));
        }
    }
}
