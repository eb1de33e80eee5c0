//! The JSON that devices and cloud exchange, one type a payload. Unknown keys are ignored on both sides, so that
//! either may be newer.

mod credentials;
mod software;
mod upgrade;

pub use credentials::{CertificateRequest, CertificateState, ProofMessage, RegisterRequest, Status};
pub use software::{Block, BlockRequest, Delivery, Encoding, Manifest, UpdateRequest, VersionReport};
pub use upgrade::{OtaProgress, SignMethod, Upgrade};
