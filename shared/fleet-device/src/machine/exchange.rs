//! What goes into the machine and what comes out of it.

use std::time::Duration;

use fleet::Millis;
use fleet::id::DeviceId;
use fleet::signature::PublicKey;

use super::Pace;
use crate::credentials::{Credentials, PendingKey};
use crate::memory::{Memory, Software};
use crate::package::Package;
use crate::progress::{Failure, Progress};
use crate::secret::Secret;

/// Who a device is and how it behaves.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Its id.
    pub device: DeviceId,
    /// The secret it shares with its row, if the row has one.
    pub secret: Option<Secret>,
    /// The product that it is one of, if it says so.
    pub product: Option<String>,
    /// Who makes its key.
    pub key: KeyOrigin,
    /// The key of the maker, whose signature all software must have then.
    pub public_key: Option<PublicKey>,
    /// Whether it is done once it is up to date.
    pub once: bool,
    /// How fast and how long it tries.
    pub pace: Pace,
}

/// What time it is, by the two clocks of a device.
#[derive(Clone, Copy, Debug, Default)]
pub struct Time {
    /// Unix time in milliseconds. It may be wrong, and may be set at any moment.
    pub unix: Millis,
    /// Milliseconds since some moment before the start. It only ever goes on.
    pub uptime: Millis,
}

/// Who makes a device's key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeyOrigin {
    /// The device, which sends a CSR; the key never leaves it.
    #[default]
    Device,
    /// The cloud, which sends the key (blueprint).
    Server,
}

/// What can happen to a device.
#[derive(Clone, Debug)]
pub enum Input {
    /// It has power; this is what it remembers. Comes first, and once.
    Started(Box<Memory>),
    /// Answer to [`Action::MakeKey`].
    KeyMade(PendingKey),
    /// Answer to [`Action::Keep`], before anything else happens: it is on disk, or this went wrong.
    Kept(Result<(), String>),
    /// The broker took the connection.
    Connected,
    /// The broker took the subscriptions.
    Subscribed,
    /// The broker does not want this certificate.
    Refused(String),
    /// There is no connection: it could not be made, or it broke.
    Lost(String),
    /// A message came.
    Message {
        /// Where.
        topic: String,
        /// What.
        payload: Vec<u8>,
    },
    /// The broker has acknowledged all that was published.
    Delivered,
    /// Answer to [`Action::Open`]: the bytes that are on disk already.
    Opened(u64),
    /// [`Action::Fetch`] has got this far.
    Fetching(u64),
    /// [`Action::Fetch`] ended; everything is on disk, or this went wrong.
    Fetched(Result<(), String>),
    /// [`Action::Open`] or [`Action::Write`] could not be performed.
    NotWritten(String),
    /// [`Action::Install`] has verified the software, and asks the owner.
    Verified,
    /// [`Action::Install`] has the owner's consent, and calls the hook.
    Confirmed,
    /// Answer to [`Action::Install`].
    Installed(Result<(), Failure>),
    /// The time asked for by the last [`Action::Wake`] is over.
    Timer,
}

/// What a device does. Actions are performed in their order; if one cannot be performed that has no answer for this,
/// the device stops, as if the power had been cut.
#[derive(Clone, Debug)]
pub enum Action {
    /// Make a key and a CSR; answer with [`Input::KeyMade`].
    MakeKey,
    /// Write this to stable storage, at once or not at all.
    Remember(Box<Memory>),
    /// The same, where it may wait; answer with [`Input::Kept`]. If it failed, the disk has what it had.
    Keep(Box<Memory>),
    /// End any connection and make this one.
    Connect(Login),
    /// Subscribe to these topic filters.
    Subscribe(Vec<String>),
    /// Publish, and have the broker acknowledge it (`QoS` 1).
    Publish {
        /// Where.
        topic: String,
        /// What.
        payload: Vec<u8>,
    },
    /// Set the one timer, instead of what it was set to.
    Wake(Duration),
    /// Open, or begin, the file for some software, and remove all others but the one to keep; answer with
    /// [`Input::Opened`] or [`Input::NotWritten`]. Any [`Action::Fetch`] ends.
    Open {
        /// SHA-256 of the whole software, hex.
        sha256: String,
        /// That of the software that runs.
        keep: Option<String>,
    },
    /// Write into that file; what lies behind is cut off. [`Input::NotWritten`] tells if that fails.
    Write {
        /// SHA-256 of the whole software, hex.
        sha256: String,
        /// First byte.
        offset: u64,
        /// The bytes.
        data: Vec<u8>,
    },
    /// Remove that file.
    Discard(String),
    /// Fetch the rest of that file by HTTP; answer with [`Input::Fetching`] and [`Input::Fetched`].
    Fetch {
        /// From where.
        url: String,
        /// SHA-256 of the whole software, hex.
        sha256: String,
        /// The bytes on disk already.
        offset: u64,
        /// Bytes in all.
        size: u64,
    },
    /// Verify that file, ask the owner, and hand it to the hook; tell so with [`Input::Verified`] and
    /// [`Input::Confirmed`], and answer with [`Input::Installed`].
    Install {
        /// The software.
        package: Box<Package>,
        /// The software that runs, to go back to if the hook fails.
        before: Option<Software>,
    },
    /// Tell whoever watches.
    Tell(Progress),
    /// Stop.
    End(Result<(), Failure>),
}

/// Which certificate a connection is made with.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Login {
    /// The claim certificate, which all devices share.
    Claim,
    /// The device's own.
    Device(Box<Credentials>),
}
