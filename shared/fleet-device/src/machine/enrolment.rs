//! Getting an identity: from the claim certificate to a certificate of the device's own, which the cloud has confirmed.

use fleet::refusal::{Code, ErrorMessage};

use super::{Action, Duty, KeyOrigin, Machine, Schedule, Stand};
use crate::credentials::{Credentials, PendingKey, PrivateKey};
use crate::memory::Next;
use crate::progress::{Failure, Progress};
use crate::wire::Heard;

/// What the answers to a registration bring; they come in any order, and maybe more than once. The last one of a
/// kind counts: where the cloud made two pairs, the newer one is the one it keeps.
#[derive(Clone, Debug, Default)]
pub(super) struct Parcel {
    certificate: Option<String>,
    key: Option<PrivateKey>,
    parameters: Option<String>,
    topic: Option<String>,
}

impl Parcel {
    pub(super) fn put(&mut self, heard: Heard) {
        match heard {
            Heard::Certificate(certificate) => self.certificate = Some(certificate),
            Heard::Key(key) => self.key = Some(key),
            Heard::Parameters(parameters) => self.parameters = Some(parameters),
            Heard::ParametersTopic(topic) => self.topic = Some(topic),
            _ => {}
        }
    }

    /// The key that came along.
    pub(super) const fn key(&self) -> Option<&PrivateKey> {
        self.key.as_ref()
    }

    /// The certificate with its key: the device's own, or the one that came along.
    fn credentials(&self, own: Option<&PendingKey>) -> Option<Credentials> {
        let key = own.map(|pending| &pending.key).or(self.key.as_ref())?;
        Credentials::pair(key.clone(), self.certificate.clone()?).ok()
    }
}

impl Machine {
    /// Turns to the claim certificate, with the key whose request is out already, or with a new one.
    pub(super) fn enrol(&mut self) -> Vec<Action> {
        let server_made = self.profile.key == KeyOrigin::Server;
        if server_made {
            self.memory.next = None;
        }
        if server_made || self.memory.pending().is_some() {
            return self.begin(Duty::Enrol(Parcel::default()));
        }
        self.duty = Duty::Begin;
        vec![Action::MakeKey]
    }

    /// The key is stored before the request goes out: after a power cut the same CSR asks for the same certificate.
    pub(super) fn keep_key(&mut self, key: PendingKey) -> Vec<Action> {
        self.memory.next = Some(Next::Requested(key));
        let mut actions = vec![self.remember()];
        actions.extend(self.begin(Duty::Enrol(Parcel::default())));
        actions
    }

    /// Looks at what has come: with the identity complete, it only waits a little for the parameters.
    pub(super) fn unpack(&mut self) -> Vec<Action> {
        let Duty::Enrol(parcel) = &self.duty else { return Vec::new() };
        if parcel.credentials(self.memory.pending()).is_none() {
            return Vec::new();
        }
        let complete = parcel.parameters.is_some() && parcel.topic.is_some();
        let adopted = if complete { self.adopt() } else { None };
        adopted.unwrap_or_else(|| vec![Action::Wake(self.profile.pace.parameters)])
    }

    /// Makes the identity that came its own and goes on with it; `None` if none has come.
    pub(super) fn adopt(&mut self) -> Option<Vec<Action>> {
        let Duty::Enrol(parcel) = &mut self.duty else { return None };
        let credentials = parcel.credentials(self.memory.pending())?;
        self.memory.parameters = parcel.parameters.take().or(self.memory.parameters.take());
        self.memory.topic = parcel.topic.take().or(self.memory.topic.take());
        let certificate_id = credentials.id();
        self.memory.next = Some(Next::Issued(credentials));
        let mut actions = vec![self.remember(), Action::Tell(Progress::Registered { certificate_id })];
        actions.extend(self.begin(Duty::Confirm));
        Some(actions)
    }

    /// The identity has proven itself; the one before it is forgotten.
    pub(super) fn promote(&mut self) -> Vec<Action> {
        if !self.memory.promote() {
            return Vec::new();
        }
        self.schedule = Schedule::default();
        vec![self.keep(), Action::Tell(Progress::Confirmed)]
    }

    pub(super) fn registration_refused(&mut self, error: ErrorMessage) -> Vec<Action> {
        match error.code {
            // The device is registered, then: by the identity it has.
            Code::AlreadyRegistered if self.memory.current.is_some() => {
                self.set_back(Failure::Refused(error), |device| {
                    let duty = device.home();
                    device.begin(duty)
                })
            }
            // Answers a confirmation that was still under way.
            Code::WrongCertificate | Code::NotRequested => Vec::new(),
            _ => self.refusal(error),
        }
    }

    pub(super) fn confirmation_refused(&mut self, error: ErrorMessage) -> Vec<Action> {
        let renewing = self.schedule.stand == Stand::TakenUp;
        match error.code {
            // Answers a registration that was still under way.
            Code::AlreadyRegistered => Vec::new(),
            Code::WrongCertificate | Code::NotRequested if error.retry_after.is_none() => {
                self.fall_back(Failure::Refused(error))
            }
            // Answers a request that was still under way; whatever else it may be, silence has the same end.
            _ if renewing => Vec::new(),
            _ => self.refusal(error),
        }
    }

    /// The present identity seems dead. From a renewed one the device goes back to the one before; from any other one, it
    /// enrols anew, with a new key. It forgets the identity only when it
    /// has the next one, for the cloud may have confirmed it without the device's hearing of it.
    pub(super) fn fall_back(&mut self, why: Failure) -> Vec<Action> {
        if self.schedule.stand == Stand::TakenUp {
            return self.doubt(&why);
        }
        self.set_back(why, |device| {
            let kept = device.memory.promote();
            let enrol = device.enrol();
            kept.then(|| device.remember()).into_iter().chain(enrol).collect()
        })
    }
}
