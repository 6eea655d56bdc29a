//! Reason codes as they stand on the wire. The specification's spelling where section 9 has one, else the reference SDK's:
//! facilitators in the field disagree, so nobody may decide on the text.

pub const INVALID_PAYLOAD: &str = "invalid_payload";
pub const INVALID_X402_VERSION: &str = "invalid_x402_version";
pub const INVALID_SCHEME: &str = "invalid_scheme";
pub const UNSUPPORTED_SCHEME: &str = "unsupported_scheme";
pub const INVALID_NETWORK: &str = "invalid_network";
pub const NETWORK_MISMATCH: &str = "invalid_exact_evm_network_mismatch";
pub const INVALID_PAYMENT_REQUIREMENTS: &str = "invalid_payment_requirements";
pub const MISSING_EIP712_DOMAIN: &str = "invalid_exact_evm_missing_eip712_domain";
pub const ASSET_NOT_DEPLOYED: &str = "asset_not_deployed_contract";
pub const TOKEN_NAME_MISMATCH: &str = "invalid_exact_evm_token_name_mismatch";
pub const TOKEN_VERSION_MISMATCH: &str = "invalid_exact_evm_token_version_mismatch";
pub const RECIPIENT_MISMATCH: &str = "invalid_exact_evm_payload_recipient_mismatch";
pub const VALUE_MISMATCH: &str = "invalid_exact_evm_payload_authorization_value_mismatch";
pub const INVALID_SIGNATURE: &str = "invalid_exact_evm_payload_signature";
pub const UNDEPLOYED_SMART_WALLET: &str = "invalid_exact_evm_payload_undeployed_smart_wallet";
pub const VALID_AFTER: &str = "invalid_exact_evm_payload_authorization_valid_after";
pub const VALID_BEFORE: &str = "invalid_exact_evm_payload_authorization_valid_before";
pub const NONCE_ALREADY_USED: &str = "invalid_exact_evm_nonce_already_used";
/// The word of a node on a transaction that would fail, as one that spends a nonce for the second time.
pub const INVALID_TRANSACTION_STATE: &str = "invalid_transaction_state";
pub const INSUFFICIENT_FUNDS: &str = "insufficient_funds";
pub const UNSUPPORTED_PAYLOAD_TYPE: &str = "unsupported_payload_type";
pub const PERMIT2_ALLOWANCE_REQUIRED: &str = "permit2_allowance_required";
pub const PERMIT2_SPENDER: &str = "invalid_permit2_spender";
pub const PERMIT2_RECIPIENT_MISMATCH: &str = "invalid_permit2_recipient_mismatch";
pub const PERMIT2_TOKEN_MISMATCH: &str = "permit2_token_mismatch";
pub const PERMIT2_AMOUNT_MISMATCH: &str = "permit2_amount_mismatch";
pub const PERMIT2_SIGNATURE: &str = "invalid_permit2_signature";
pub const PERMIT2_NOT_YET_VALID: &str = "permit2_not_yet_valid";
pub const PERMIT2_DEADLINE: &str = "permit2_deadline_expired";
/// Permit2's own word for a nonce that was used.
pub const PERMIT2_NONCE: &str = "permit2_invalid_nonce";
/// Not an outcome: the money may have moved.
pub const SETTLEMENT_PENDING: &str = "settlement_pending";
