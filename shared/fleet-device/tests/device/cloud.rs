//! A model of the cloud with one device: what the functions promise, without how they do it.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fleet::message::{
    Block, BlockRequest, CertificateState, Delivery, Encoding, Manifest, RegisterRequest, UpdateRequest,
};
use fleet::refusal::{Code, Refusal};
use fleet::topic::{Downstream, Upstream};
use fleet::version::Version;
use fleet_device::{Credentials, DeviceId, PrivateKey};
use ring::digest::{SHA256, digest};

use super::authority::Authority;
use super::renewal::ledger::Renewals;
use super::rollout::Rollout;

pub const BLOCK: u64 = 4;

pub type Message = (String, Vec<u8>);

/// Where the device's row stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Registered {
    False,
    Requested,
    Ok,
}

pub struct Cloud {
    pub device: DeviceId,
    pub authority: Authority,
    pub registered: Registered,
    /// Ids of the certificates that may connect.
    pub active: BTreeSet<String>,
    pub software: Vec<u8>,
    pub version: String,
    pub delivery: Delivery,
    pub url: Option<String>,
    /// Whether it sends blocks.
    pub blocks: bool,
    /// The job that the device is in.
    pub rollout: Option<Rollout>,
    /// What the device reported.
    pub reported: Option<Version>,
    /// What it knows about renewals.
    pub renewals: Renewals,
    /// The request that waits for its confirmation: CSR, certificate, its id.
    pending: Option<(Option<String>, String, String)>,
    pub confirmed: Option<String>,
}

impl Cloud {
    pub fn new(device: &str, delivery: Delivery, software: &[u8]) -> Self {
        Self {
            device: DeviceId::parse(device).unwrap(),
            authority: Authority::new(),
            registered: Registered::False,
            active: BTreeSet::new(),
            software: software.to_vec(),
            version: "2".to_owned(),
            delivery,
            url: None,
            blocks: true,
            rollout: None,
            reported: None,
            renewals: Renewals::default(),
            pending: None,
            confirmed: None,
        }
    }

    /// What a message over the certificate with this id (none: the claim certificate) leads to.
    pub fn hear(&mut self, principal: Option<&str>, topic: &str, payload: &[u8]) -> Vec<Message> {
        match Upstream::parse(topic, self.device.as_str()) {
            Some(Upstream::RegisterRequest) => self.register(payload),
            Some(Upstream::RegisterOk) => self.confirm(principal),
            Some(_) if self.registered != Registered::Ok => vec![self.refuse(Code::NotRegistered)],
            Some(about @ (Upstream::CertificateRequest | Upstream::CertificateOk | Upstream::CertificateStatus)) => {
                self.hear_of_certificate(principal, about, payload)
            }
            Some(_) if !self.serves(principal) => vec![self.refuse(Code::WrongCertificate)],
            Some(Upstream::UpdateRequest) => self.offer(payload),
            Some(Upstream::UpdateBlock) => vec![self.block(payload)],
            Some(Upstream::UpdateOk) => {
                self.hear_version(payload);
                Vec::new()
            }
            Some(about @ (Upstream::OtaVersion | Upstream::OtaRequest | Upstream::OtaProgress)) => {
                self.hear_of_upgrade(about, payload)
            }
            other => panic!("{topic} is not for a device to say: {other:?}"),
        }
    }

    /// The software that the device is to have, and its version.
    fn offered(&self) -> (&[u8], String) {
        match self.rollout.as_ref().filter(|rollout| rollout.counts()) {
            Some(rollout) => (&rollout.software, rollout.upgrade.version.to_string()),
            None => (&self.software, self.version.clone()),
        }
    }

    pub fn manifest(&self) -> Manifest {
        let (software, version) = self.offered();
        Manifest {
            name: "main".to_owned(),
            version: Version::text(&version),
            size: software.len() as u64,
            sha256: hex::encode(digest(&SHA256, software)),
            delivery: self.delivery,
            encoding: Encoding::Base64,
            object: format!("object-{version}"),
            block_size: BLOCK,
            url: self.url.clone(),
            url_expires_at: None,
            signature: None,
            sign_method: None,
            minimum_version: None,
            allow_downgrade: false,
        }
    }

    pub fn message(&self, downstream: Downstream, payload: impl Into<Vec<u8>>) -> Message {
        (downstream.topic(self.device.as_str()), payload.into())
    }

    pub fn refuse(&self, code: Code) -> Message {
        let answer = match code {
            Code::NotRegistered | Code::WrongCertificate => Downstream::UpdateError,
            _ => Downstream::CredentialsError,
        };
        self.message(answer, serde_json::to_vec(&Refusal::new(code, "no").to_message("")).unwrap())
    }

    fn register(&mut self, payload: &[u8]) -> Vec<Message> {
        if self.registered == Registered::Ok {
            return vec![self.refuse(Code::AlreadyRegistered)];
        }
        let csr = (!payload.is_empty()).then(|| serde_json::from_slice::<RegisterRequest>(payload).unwrap());
        let csr = csr.and_then(|request| request.csr);
        let mut answers = Vec::new();
        if csr.is_none() || self.pending.as_ref().map(|(pending, ..)| pending) != Some(&csr) {
            answers.extend(self.issue(csr));
        }
        let (_, certificate, _) = self.pending.clone().unwrap();
        self.registered = Registered::Requested;
        answers.extend([
            self.message(Downstream::Certificate, certificate),
            self.message(Downstream::Parameters, "{\"topic\":\"t/1\"}"),
            self.message(Downstream::ParametersTopic, "t/1"),
        ]);
        answers
    }

    /// Makes a certificate in place of the pending one; the answer is the key, where the cloud made it.
    fn issue(&mut self, csr: Option<String>) -> Option<Message> {
        if let Some((_, _, retired)) = self.pending.take() {
            self.active.remove(&retired);
        }
        let made = csr.is_none().then(|| self.authority.make(self.device.as_str()));
        let certificate = match (&made, &csr) {
            (Some(pair), _) => pair.certificate.clone(),
            (None, csr) => self.authority.sign(csr.as_deref().unwrap()),
        };
        let id = certificate_id(&certificate);
        self.active.insert(id.clone());
        self.pending = Some((csr, certificate, id));
        made.map(|pair| self.message(Downstream::Key, pair.key))
    }

    fn confirm(&mut self, principal: Option<&str>) -> Vec<Message> {
        let pending = self.pending.as_ref().map(|(_, _, id)| id.as_str());
        let again = self.registered == Registered::Ok && principal == self.confirmed.as_deref();
        if principal.is_none() || !(again || principal == pending) {
            let refusal = Refusal::new(Code::WrongCertificate, "no").to_message("");
            return vec![self.message(Downstream::CredentialsError, serde_json::to_vec(&refusal).unwrap())];
        }
        if !again {
            self.active.retain(|id| Some(id.as_str()) == principal);
            self.renewals.begin_anew();
            self.confirmed = principal.map(str::to_owned);
            self.pending = None;
            self.registered = Registered::Ok;
        }
        principal.map(|id| self.status(CertificateState::Confirmed, id)).into_iter().collect()
    }

    fn offer(&self, payload: &[u8]) -> Vec<Message> {
        let runs = (!payload.is_empty()).then(|| serde_json::from_slice::<UpdateRequest>(payload).unwrap());
        let mut manifest = self.manifest();
        let current = runs.and_then(|request| request.version).zip(manifest.version.clone());
        if current.is_some_and(|(runs, offered)| runs.same_as(&offered)) {
            manifest.delivery = Delivery::None;
        }
        let mut answers = vec![self.message(Downstream::Manifest, serde_json::to_vec(&manifest).unwrap())];
        if manifest.delivery == Delivery::Inline {
            answers.push(self.message(Downstream::Software, STANDARD.encode(self.offered().0)));
        }
        answers
    }

    fn block(&self, payload: &[u8]) -> Message {
        let request: BlockRequest = serde_json::from_slice(payload).unwrap();
        let manifest = self.manifest();
        let other_object = request.object.as_ref().is_some_and(|object| *object != manifest.object);
        let same_version = request.version.as_ref().zip(manifest.version.as_ref()).is_some_and(|(a, b)| a.same_as(b));
        if other_object || !same_version || !self.blocks {
            let refusal = Refusal::new(Code::SoftwareChanged, "start over").to_message("");
            return self.message(Downstream::UpdateError, serde_json::to_vec(&refusal).unwrap());
        }
        let (start, length) =
            (usize::try_from(request.offset).unwrap(), usize::try_from(request.length.min(BLOCK)).unwrap());
        let data = &self.offered().0[start..][..length];
        let block = Block {
            offset: request.offset,
            length: data.len() as u64,
            size: manifest.size,
            object: manifest.object,
            version: manifest.version,
            data: STANDARD.encode(data),
        };
        self.message(Downstream::Block, serde_json::to_vec(&block).unwrap())
    }
}

pub fn certificate_id(certificate: &str) -> String {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject;
    hex::encode(digest(&SHA256, &CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()))
}

pub fn pair(certificate: &str, key: &str) -> Credentials {
    Credentials::pair(PrivateKey::new(key.to_owned()), certificate.to_owned()).unwrap()
}
