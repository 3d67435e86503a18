// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

// Role bits of a member; votes, rulings and attestations come from the account itself.
uint8 constant ROLE_TRADER = 1; //    posts orders
uint8 constant ROLE_COUNCIL = 2; //   votes
uint8 constant ROLE_VALIDATOR = 4; // runs a validator node
uint8 constant ROLE_ARBITER = 8; //   rules disputes
uint8 constant ROLE_AUDITOR = 16; //  reads and audits
uint8 constant ROLE_ATTESTOR = 32; // attests assets
uint8 constant ALL_ROLES = 63;

// Scope bits of a signer key.
uint8 constant SCOPE_TRADE = 1; //    post, reduce, cancel orders
uint8 constant SCOPE_OPERATE = 2; //  register assets; deliver, accept, dispute, release, cancel deals
uint8 constant SCOPE_TREASURY = 4; // deposit, withdraw
uint8 constant ALL_SCOPES = 7;
