//! A refusal: an answer to a device that cannot have what it asked for, in the one shape of every error topic.

use serde::{Deserialize, Serialize};

use crate::Millis;

/// Every code that an error can carry. Codes are stable: a device may act on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// The payload is not what the topic takes.
    InvalidPayload,
    /// The CSR cannot be parsed, is not signed by its own key, has a weak key or another device's name.
    InvalidCsr,
    /// This stack makes no keys: send a CSR.
    CsrRequired,
    /// Topic and client id do not agree.
    IdentityMismatch,
    /// The id cannot be a device's.
    InvalidDeviceId,
    /// No row for this device.
    UnknownDevice,
    /// The device is registered; an operator must set `registered` to `false` first.
    AlreadyRegistered,
    /// An operator, or too many attempts, locked the device out.
    Blocked,
    /// The device was revoked.
    Revoked,
    /// The row has a secret and the request no proof.
    ProofRequired,
    /// The proof was not made with the row's secret over this request.
    ProofInvalid,
    /// The proof's timestamp is too far from the cloud's clock.
    ProofExpired,
    /// The proof, or a later one, was used already.
    ProofReplayed,
    /// A row that this request needs cannot be used; an operator must mend it.
    RowInvalid,
    /// A confirmation without a request before it.
    NotRequested,
    /// The message came over a certificate that does not count here.
    WrongCertificate,
    /// The device is not registered.
    NotRegistered,
    /// It is not time for the next certificate; `renew_at` says when it is.
    TooEarly,
    /// The CSR's key is that of a certificate that the device has, or had.
    KeyReused,
    /// The certificate has expired, and may not be renewed any more.
    CertificateExpired,
    /// The device is being upgraded: its certificate is renewed before that or after.
    UpgradeInProgress,
    /// Too many certificates were asked for and none was confirmed.
    TooManyRequests,
    /// No more new devices of the product are taken in today.
    LimitReached,
    /// The device's row names no software.
    NoSoftware,
    /// The software has no row, or its object is missing.
    SoftwareMissing,
    /// The software is a draft or was withdrawn.
    SoftwareNotReleased,
    /// The object is not the one that the software's row describes.
    SoftwareMismatch,
    /// The software changed while the device was fetching it.
    SoftwareChanged,
    /// The software is older than what the device runs.
    DowngradeRefused,
    /// A block begins past the end of the software.
    BlockOutOfRange,
    /// The device is in no such job.
    JobNotFound,
    /// The device's turn in the job has not come.
    JobNotStarted,
    /// The job, or the device's part in it, is over.
    JobOver,
    /// A code of a newer cloud that this device does not know yet; never sent.
    #[serde(other)]
    Unknown,
}

/// Seconds after which it is worth asking again for what an operator has to mend.
const OPERATOR_RETRY: u32 = 300;
/// Seconds after which an unlisted device may ask whether it has been listed.
const UNKNOWN_RETRY: u32 = 3600;
/// Seconds after which a device may ask whether its turn in a job has come, or whether its upgrade is over.
const TURN_RETRY: u32 = 60;
/// Seconds after which a device that asked too often gets one more answer.
const OFTEN_RETRY: u32 = 3600;

impl Code {
    /// Seconds after which the same request may succeed; `None` where it cannot.
    #[must_use]
    pub const fn retry_after(self) -> Option<u32> {
        match self {
            Self::RowInvalid
            | Self::NoSoftware
            | Self::SoftwareMissing
            | Self::SoftwareNotReleased
            | Self::SoftwareMismatch => Some(OPERATOR_RETRY),
            Self::UnknownDevice => Some(UNKNOWN_RETRY),
            Self::JobNotStarted | Self::UpgradeInProgress => Some(TURN_RETRY),
            Self::TooManyRequests => Some(OFTEN_RETRY),
            _ => None,
        }
    }

    /// The code as it is sent.
    #[must_use]
    pub fn as_str(self) -> String {
        serde_json::to_value(self).ok().and_then(|json| json.as_str().map(str::to_owned)).unwrap_or_default()
    }
}

/// Why a request is refused, in words for the person who writes the device's firmware.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
#[error("{}: {message}", code.as_str())]
pub struct Refusal {
    /// What a device can act on.
    pub code: Code,
    /// What to do.
    pub message: String,
    /// Seconds after which the same request may succeed, where that is not the code's own time.
    pub wait: Option<u32>,
    /// When the device may ask for its next certificate, Unix time in milliseconds.
    pub renew_at: Option<Millis>,
}

impl Refusal {
    /// A refusal.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), wait: None, renew_at: None }
    }

    /// The same refusal, of a request that may succeed at `then`.
    #[must_use]
    pub fn until(mut self, then: Millis, now: Millis) -> Self {
        let seconds = then.saturating_sub(now).div_ceil(1000);
        self.wait = Some(u32::try_from(seconds).unwrap_or(u32::MAX));
        self
    }

    /// It is not time for the next certificate before `renew_at`.
    #[must_use]
    pub fn too_early(renew_at: Millis, now: Millis) -> Self {
        let message = "it is not time for the next certificate: ask again at `renew_at`, or in `retry_after` seconds";
        Self { renew_at: Some(renew_at), ..Self::new(Code::TooEarly, message).until(renew_at, now) }
    }

    /// The device has no row.
    #[must_use]
    pub fn unknown_device() -> Self {
        Self::new(
            Code::UnknownDevice,
            "this device is not listed: an operator must add its row to the registration table",
        )
    }

    /// The device has no identity of its own.
    #[must_use]
    pub fn not_registered() -> Self {
        Self::new(Code::NotRegistered, "register first: publish `register/request`, then `register/ok`")
    }

    /// The device is blocked or revoked, as `code` says.
    #[must_use]
    pub fn locked_out(code: Code) -> Self {
        let message =
            format!("this device is {}: an operator must set `registered` to false in its row", code.as_str());
        Self::new(code, message)
    }

    /// A row that the request needs cannot be used; its `problem` says how.
    #[must_use]
    pub fn row_invalid() -> Self {
        let message = "a row that this needs cannot be used: an operator must mend it; its `problem` says how";
        Self::new(Code::RowInvalid, message)
    }

    /// The error as it goes to the device. `request` is the trace id under which the function's log has it.
    #[must_use]
    pub fn to_message(&self, request: &str) -> ErrorMessage {
        ErrorMessage {
            code: self.code,
            message: self.message.clone(),
            request: (!request.is_empty()).then(|| request.to_owned()),
            retry_after: self.wait.or(self.code.retry_after()),
            renew_at: self.renew_at,
        }
    }
}

/// Payload of every error topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorMessage {
    /// Stable, for the device.
    pub code: Code,
    /// For the person who reads the device's log.
    pub message: String,
    /// Trace id of the refused request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// Seconds after which trying again can help; absent where it cannot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u32>,
    /// With `too_early`: when the device may ask again, Unix time in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renew_at: Option<Millis>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_present_exactly_where_trying_again_can_help() {
        let json = |code| serde_json::to_value(Refusal::new(code, "m").to_message("t-1")).unwrap();
        assert_eq!(
            json(Code::RowInvalid),
            serde_json::json!({"code": "row_invalid", "message": "m", "request": "t-1", "retry_after": 300})
        );
        assert_eq!(json(Code::Blocked), serde_json::json!({"code": "blocked", "message": "m", "request": "t-1"}));
    }

    #[test]
    fn who_comes_too_early_is_told_when_by_both_clocks() {
        let json = serde_json::to_value(Refusal::too_early(61_500, 1_000).to_message("")).unwrap();
        assert_eq!((&json["renew_at"], &json["retry_after"]), (&61_500.into(), &61.into()));
    }

    #[test]
    fn a_device_understands_an_error_whose_code_is_newer_than_its_firmware() {
        let error: ErrorMessage = serde_json::from_str(r#"{"code": "of_tomorrow", "message": "m", "new": 1}"#).unwrap();
        assert_eq!(error.code, Code::Unknown);
    }
}
