//! Whom the cloud serves: a registered device that speaks over its own certificate.

use crate::delivery::Sender;
use crate::device_row::Registered;
use crate::problem::Problem;
use crate::refusal::{Code, Refusal};
use crate::row::Row;

/// Why a device is not served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unserved {
    /// It cannot be.
    Refuse(Refusal),
    /// Its row must be mended first.
    Mend(Problem),
}

/// Checks that the device of `row` is registered, and that `sender` spoke over its certificate.
///
/// # Errors
/// Why it is not served.
pub fn check(sender: &Sender, row: &Row) -> Result<(), Unserved> {
    let refuse = |code, message: &str| Err(Unserved::Refuse(Refusal::new(code, message)));
    match row.registered().map_err(Unserved::Mend)? {
        Registered::Ok => {}
        Registered::Blocked => return Err(Unserved::Refuse(Refusal::locked_out(Code::Blocked))),
        Registered::Revoked => return Err(Unserved::Refuse(Refusal::locked_out(Code::Revoked))),
        Registered::False | Registered::Requested => {
            return refuse(Code::NotRegistered, "register first: publish `register/request`, then `register/ok`");
        }
    }
    match row.certificate() {
        Some(certificate) if certificate.as_str() == sender.principal => Ok(()),
        _ => refuse(Code::WrongCertificate, "connect with the device's own, confirmed certificate"),
    }
}
