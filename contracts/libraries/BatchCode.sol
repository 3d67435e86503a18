// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

/// @title BatchCode
/// @notice A batch's orders as contract code: one STOP byte (nobody can call it), then the orders. Knows nothing of orders.
/// @dev Assumes: the book creates no other contract, so that batch `n` is the contract of its nonce `n` (a contract's nonce
/// starts at 1) and the address follows from the number alone.
library BatchCode {
    /// @notice Thrown when the contract could not be created; cannot happen while 64 orders are far below the code limit.
    error CodeNotWritten();

    /// @notice Address of the contract that `book` creates with nonce `batch`.
    /// @dev keccak256 of the RLP list [book, batch]; `batch` is 1...2**32-1.
    function pointerOf(address book, uint256 batch) internal pure returns (address pointer) {
        unchecked {
            // RLP of the number: itself if below 0x80, else its length + 0x80 and its bytes.
            uint256 number = batch;
            uint256 size = 1;
            if (batch > 0xffffff) (number, size) = (0x84 << 32 | batch, 5);
            else if (batch > 0xffff) (number, size) = (0x83 << 24 | batch, 4);
            else if (batch > 0xff) (number, size) = (0x82 << 16 | batch, 3);
            else if (batch > 0x7f) (number, size) = (0x81 << 8 | batch, 2);
            // List head (0xc0 + payload), head of 20 bytes, the address, the number.
            uint256 rlp = ((0xd594 + (size << 8)) << 160 | uint160(book)) << (size << 3) | number;
            // Assembly: scratch space instead of an allocation; a clearing derives up to 2,000 addresses.
            assembly ("memory-safe") {
                mstore(0, shl(sub(80, shl(3, size)), rlp))
                pointer := and(keccak256(0, add(22, size)), 0xffffffffffffffffffffffffffffffffffffffff)
            }
        }
    }

    /// @notice Writes `data` as the code of a new contract of the caller.
    function write(bytes calldata data) internal returns (address pointer) {
        // PUSH2 length, DUP1, PUSH1 10, RETURNDATASIZE, CODECOPY, RETURNDATASIZE, RETURN: returns what follows.
        bytes memory init = abi.encodePacked(hex"61", uint16(data.length + 1), hex"80600a3d393df3", hex"00", data);
        assembly ("memory-safe") {
            pointer := create(0, add(init, 32), mload(init))
        }
        require(pointer != address(0), CodeNotWritten());
    }

    /// @notice Reads `length` bytes of what was written; zeros where nothing was.
    function read(address pointer, uint256 length) internal view returns (bytes memory data) {
        data = new bytes(length);
        assembly ("memory-safe") {
            extcodecopy(pointer, add(data, 32), 1, length)
        }
    }
}
