// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICreditLedger} from "./interfaces/ICreditLedger.sol";
import {IMemberRegistry} from "./interfaces/IMemberRegistry.sol";
import {Bond} from "./libraries/Bond.sol";
import {CreditMath} from "./libraries/CreditMath.sol";
import {Deployment, Parameters} from "./types/Parameters.sol";

/// @title CreditLedger
/// @notice Outcomes of deals to credit bands, and open value. Holds no money; takes no rating from anybody.
contract CreditLedger is ICreditLedger {
    /* IMMUTABLES */

    IMemberRegistry public immutable members;
    address public immutable book;
    address public immutable clearing;
    address public immutable deals;

    uint256 public immutable goodHalfLife; //    H [s]
    uint256 public immutable badHalfLife; //     Hbad [s]
    uint256 public immutable counterpartyCap; // C [token base units]
    uint256 public immutable newcomerCap; //     [token base units]
    // Two 112-bit values a word, lower band low [token base units].
    uint256 private immutable _thresholds01;
    uint256 private immutable _thresholds23;
    uint256 private immutable _thresholds45;
    uint256 private immutable _thresholds67;
    uint256 private immutable _ratios; // 8 x 16 bits

    /* STORAGE */

    /// @notice What one owner group added to a member's good: one word.
    struct Added {
        uint112 value; //   [token base units], as of `touched`
        uint32 touched; // [unix s]
    }

    mapping(uint256 member => Record) private _records;
    mapping(uint256 member => mapping(uint256 group => Added)) private _added;
    /// @inheritdoc ICreditLedger
    mapping(uint24 member => uint256) public openValueOf;

    /* CONSTRUCTOR */

    constructor(Deployment memory d, Parameters memory p) {
        members = IMemberRegistry(d.members);
        book = d.book;
        clearing = d.clearing;
        deals = d.deals;
        goodHalfLife = p.goodHalfLife;
        badHalfLife = p.badHalfLife;
        counterpartyCap = p.counterpartyCap;
        newcomerCap = p.newcomerCap;
        _thresholds01 = uint256(p.thresholds[1]) << 112 | p.thresholds[0];
        _thresholds23 = uint256(p.thresholds[3]) << 112 | p.thresholds[2];
        _thresholds45 = uint256(p.thresholds[5]) << 112 | p.thresholds[4];
        _thresholds67 = uint256(p.thresholds[7]) << 112 | p.thresholds[6];
        _ratios = Bond.pack(p.ratios);
    }

    /* OPEN VALUE */

    /// @inheritdoc ICreditLedger
    function open(uint24 member, uint256 declared, uint256 value) external {
        require(msg.sender == book, NotAllowed(msg.sender));
        uint256 band = bandOf(member);
        require(declared <= band, CreditAboveBand(member, declared, band));
        uint256 wanted = openValueOf[member] + value;
        require(band != 0 || wanted <= newcomerCap, NewcomerCapExceeded(member, wanted, newcomerCap));

        openValueOf[member] = wanted;
    }

    /// @inheritdoc ICreditLedger
    function close(uint24[] calldata members_, uint256[] calldata values) external {
        require(msg.sender == book || msg.sender == clearing, NotAllowed(msg.sender));
        for (uint256 i; i < members_.length; ++i) {
            openValueOf[members_[i]] -= values[i];
        }
    }

    /* OUTCOMES */

    /// @inheritdoc ICreditLedger
    function record(Outcome[] calldata outcomes) external {
        require(msg.sender == deals, NotAllowed(msg.sender));
        for (uint256 i; i < outcomes.length; ++i) {
            Outcome calldata o = outcomes[i];
            openValueOf[o.provider] -= o.openValue;
            uint24 providerGroup = members.groupOf(o.provider);
            uint24 consumerGroup = members.groupOf(o.consumer);
            // Wash trades build no credit.
            if (providerGroup == consumerGroup) continue;
            _record(o.provider, consumerGroup, o.providerGood, o.providerBad);
            _record(o.consumer, providerGroup, o.consumerGood, o.consumerBad);
        }
    }

    /* VIEWS */

    /// @inheritdoc ICreditLedger
    function bandOf(uint24 member) public view returns (uint256) {
        (uint256 good, uint256 bad) = creditOf(member);
        return CreditMath.band(good, bad, [_thresholds01, _thresholds23, _thresholds45, _thresholds67], _ratios);
    }

    /// @inheritdoc ICreditLedger
    function creditOf(uint24 member) public view returns (uint256 good, uint256 bad) {
        Record memory r = _records[member];
        good = CreditMath.decayed(r.good, r.touched, block.timestamp, goodHalfLife);
        bad = CreditMath.decayed(r.bad, r.touched, block.timestamp, badHalfLife);
    }

    /// @inheritdoc ICreditLedger
    function recordOf(uint24 member) external view returns (Record memory) {
        return _records[member];
    }

    /// @inheritdoc ICreditLedger
    function addedBy(uint24 member, uint24 group) public view returns (uint256) {
        Added memory a = _added[member][group];
        return CreditMath.decayed(a.value, a.touched, block.timestamp, goodHalfLife);
    }

    /* INTERNAL */

    /// @dev Writes only what the event tells: a member without a change keeps its word, and a full cap its own.
    function _record(uint24 member, uint24 counterpartyGroup, uint256 good, uint256 bad) private {
        if (good != 0) {
            uint256 already = addedBy(member, counterpartyGroup);
            good = CreditMath.capped(good, already, counterpartyCap);
            if (good != 0) {
                _added[member][counterpartyGroup] = Added(uint112(already + good), uint32(block.timestamp));
            }
        }
        if (good == 0 && bad == 0) return;

        (uint256 oldGood, uint256 oldBad) = creditOf(member);
        _records[member] =
            Record(_saturated(oldGood + good), _saturated(oldBad + bad), uint32(block.timestamp));

        emit CreditRecorded(member, counterpartyGroup, good, bad);
    }

    function _saturated(uint256 value) private pure returns (uint112) {
        return value < type(uint112).max ? uint112(value) : type(uint112).max;
    }
}
