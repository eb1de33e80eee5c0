//! Who takes part in the demo: each device, what is peculiar about it, and what must come of it.

use fleet::refusal::Code;

/// The small software: fits one message.
pub const SENSOR: &str = "sensor";
/// The large software: 5 MB, fetched by blocks.
pub const CAMERA: &str = "camera";
/// The large software, fetched from a presigned URL.
pub const GATEWAY: &str = "gateway";
/// The version that every software of the demo has.
pub const VERSION: &str = "2.0";
/// The secret of the rows that have one.
pub const SECRET: &str = "a secret of the factory";

/// A device of the demo.
#[derive(Clone, Debug)]
pub struct Device {
    /// Its id.
    pub id: String,
    /// What is peculiar about it.
    pub part: Part,
}

/// What is peculiar about a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Makes its own key and sends a CSR.
    Csr,
    /// Sends an empty payload and is given a key, as in the blueprint.
    ServerKey,
    /// Proves the secret that its row has.
    Secret,
    /// Gets 5 MB of software by blocks.
    Blocks,
    /// Gets 5 MB of software from a URL.
    Url,
    /// Is not listed.
    Unknown,
    /// Proves another secret than its row has.
    WrongSecret,
    /// Has a row whose parameters lack the topic.
    BrokenRow,
}

impl Part {
    /// In words, for the table.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Csr => "CSR",
            Self::ServerKey => "no CSR, as in the blueprint",
            Self::Secret => "CSR, proof of its secret",
            Self::Blocks => "CSR, 5 MB by blocks",
            Self::Url => "CSR, 5 MB by URL",
            Self::Unknown => "not listed",
            Self::WrongSecret => "proof of a wrong secret",
            Self::BrokenRow => "row without a topic",
        }
    }

    /// The software that its row names.
    pub const fn software(self) -> &'static str {
        match self {
            Self::Blocks => CAMERA,
            Self::Url => GATEWAY,
            _ => SENSOR,
        }
    }

    /// Why it must be refused; `None` where it must get everything.
    pub const fn refusal(self) -> Option<Code> {
        match self {
            Self::Unknown => Some(Code::UnknownDevice),
            Self::WrongSecret => Some(Code::ProofInvalid),
            Self::BrokenRow => Some(Code::RowInvalid),
            _ => None,
        }
    }
}

/// The devices of the demo.
pub fn cast() -> Vec<Device> {
    let parts = [
        (Part::Csr, 9),
        (Part::ServerKey, 4),
        (Part::Secret, 2),
        (Part::Blocks, 1),
        (Part::Url, 1),
        (Part::Unknown, 1),
        (Part::WrongSecret, 1),
        (Part::BrokenRow, 1),
    ];
    let parts = parts.into_iter().flat_map(|(part, count)| std::iter::repeat_n(part, count));
    parts.enumerate().map(|(number, part)| Device { id: format!("demo-{:02}", number + 1), part }).collect()
}
