//! The x402 wire protocol, versions 1 and 2, for the `exact` scheme on EVM: types, header codecs, matching and EIP-712
//! digests.
//!
//! No I/O, no clock, no randomness: whoever calls says what time it is. Sections named in the docs are those of
//! `x402-specification-v2.md`, `transports-v2/http.md` and `scheme_exact_evm.md` in the x402 Foundation's repository.

pub mod address;
pub mod eip3009;
mod eip712;
pub mod erc6492;
mod facilitator_request;
pub mod header;
pub mod hex;
pub mod json;
pub mod network;
pub mod offer;
pub mod payload;
pub mod payment_flow;
pub mod payment_key;
pub mod permit2;
pub mod scheme;
pub mod signature;
pub mod siwx;
mod text;
pub mod uint256;
pub mod v1;
pub mod v2;
pub mod version;

pub use address::Address;
pub use eip3009::{Authorization, Nonce};
pub use facilitator_request::{v1_request, v2_request};
pub use network::Network;
pub use offer::{Mismatch, Offer};
pub use payload::PayloadError;
pub use payment_flow::PaymentFlow;
pub use payment_key::PaymentKey;
pub use permit2::Permit2Authorization;
pub use scheme::{
    Scheme,
    exact::{ExactEvmPayload, Transfer, TransferMethod},
};
pub use signature::{Proof, Signature};
pub use uint256::Uint256;
pub use version::Version;
