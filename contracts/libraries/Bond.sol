// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

/// @title Bond
/// @notice What an offer locks a unit. Better credit, smaller bond: this is how credit becomes value.
library Bond {
    /// @notice Packs the rates of the bands into one word: 8 x 16 bits, band 0 lowest.
    function pack(uint16[8] memory rates) internal pure returns (uint256 packed) {
        for (uint256 band; band < 8; ++band) {
            packed |= uint256(rates[band]) << (band * 16);
        }
    }

    /// @notice `ceil(max(ask, reference) * rate[credit] / 10_000)`: a low ask buys no cheap default.
    /// @dev Assumes: both prices are below 2**72, credit is 0...7. With rates up to 10,000 the bond is below 2**72 too.
    /// @param rates As {pack} gives them [1/10,000].
    /// @return bond [token base units per capacity unit]
    function perUnit(uint256 ask, uint256 reference_, uint256 rates, uint256 credit)
        internal
        pure
        returns (uint256 bond)
    {
        // Unchecked: 72 + 16 bits.
        unchecked {
            uint256 rate = (rates >> (credit * 16)) & type(uint16).max;
            bond = ((ask > reference_ ? ask : reference_) * rate + 9_999) / 10_000;
        }
    }
}
