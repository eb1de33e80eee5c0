//! What the search starts from: a registered device whose certificate is due, and the cloud that registered it.

use std::collections::HashMap;
use std::sync::LazyLock;
use std::time::Duration;

use fleet::Millis;
use fleet::attribute::{PARAMETERS, POLICY, REGISTERED};
use fleet::certificate::life::DAY;
use fleet::credentials::{Kind, Request, Rules, Run};
use fleet::csr::Csr;
use fleet::delivery::Sender;
use fleet::id::{CertificateId, DeviceId};
use fleet::row::Row;
use fleet::value::Value;
use fleet_device::machine::{KeyOrigin, Pace, Profile};
use fleet_device::memory::Memory;
use fleet_device::{Credentials, PendingKey};

use crate::authority::Authority;
use crate::cloud::Cloud;
use crate::steps::tick;
use crate::world::{World, certificate_id};

pub const NOW: Millis = 1_700_000_000_000;
/// When the device registered: its certificate is due between its 243rd and its 304th day.
const REGISTERED_AT: Millis = NOW - 310 * DAY;
/// Who issues all certificates.
pub const AUTHORITY: &str = "arn:aws:acm-pca:eu-west-1:123456789012:certificate-authority/a";
const POLICY_NAME: &str = "device-policy";
/// Keys that a device may make.
const KEYS: usize = 12;
pub const RULES: Rules = Rules { attempts_limit: 3, server_made_keys: false, ..Rules::DEFAULT };

pub fn device() -> DeviceId {
    DeviceId::parse("dev-1").unwrap()
}

/// Id of the claim certificate, which is none of the world's.
pub fn claim_certificate() -> CertificateId {
    certificate_id(0xc1a1)
}

/// The `number`th key that the device makes.
pub fn key(number: usize) -> &'static PendingKey {
    static MADE: LazyLock<Vec<PendingKey>> =
        LazyLock::new(|| (0..KEYS).map(|_| PendingKey::generate(&device()).unwrap()).collect());
    &MADE[number]
}

/// Its device that waits for nobody and has no dice.
pub fn profile() -> Profile {
    let pace = Pace { random: false, respite: Duration::ZERO, ..Pace::default() };
    let key = KeyOrigin::Device;
    Profile { device: device(), secret: None, product: None, key, public_key: None, once: false, pace }
}

/// A message at this time, over this certificate or over the claim certificate.
pub fn request(kind: Kind, over: Option<usize>, at: Millis) -> Request {
    let principal = over.map_or_else(claim_certificate, certificate_id).to_string();
    Request { sender: Sender { device: device(), principal, trace: format!("t-{at}"), received_at: at }, kind }
}

/// The cloud in which the device is registered, with the first certificate, which belongs to its first key. It has been
/// reminded just now, when nobody listened.
pub fn registered() -> Cloud {
    let attributes =
        [(REGISTERED, Value::Flag(false)), (POLICY, POLICY_NAME.into()), (PARAMETERS, r#"{"topic":"a/b"}"#.into())];
    let world = World {
        row: Some(Row(attributes.map(|(name, value)| (name.to_owned(), value)).into())),
        policies: [POLICY_NAME.to_owned()].into(),
        ..World::default()
    };
    let mut cloud = Cloud { world, connected: true, ..Cloud::default() };
    let csr = Csr::parse(&key(0).csr, &device()).unwrap();
    handle(&mut cloud, &request(Kind::Register { csr: Some(csr), proof: None, product: None }, None, REGISTERED_AT));
    handle(&mut cloud, &request(Kind::Confirm, Some(0), REGISTERED_AT));
    tick(&mut cloud, NOW);
    cloud.world.sent.clear();
    cloud
}

fn handle(cloud: &mut Cloud, request: &Request) {
    let mut run = Run::new(&RULES, request, REGISTERED_AT);
    while !run.stage().is_empty() {
        let answers = run.stage().iter().map(|effect| cloud.perform_for(&run, effect)).collect();
        run.take(answers).unwrap();
    }
}

/// Certificates as devices have them. The world knows them by other names, so that worlds can be equal.
pub struct Certificates {
    authority: Authority,
    signed: HashMap<(CertificateId, String), Credentials>,
    names: HashMap<CertificateId, CertificateId>,
}

impl Certificates {
    pub fn new() -> Self {
        Self { authority: Authority::new(), signed: HashMap::new(), names: HashMap::new() }
    }

    /// What the device has that was given this certificate of this world.
    pub fn credentials(&mut self, world: &World, id: &CertificateId) -> Credentials {
        let origin = &world.certificates[id].origin;
        let Self { authority, signed, names } = self;
        let found = signed.entry((id.clone(), origin.clone())).or_insert_with(|| {
            let of_key = |key: &&PendingKey| Csr::parse(&key.csr, &device()).unwrap().fingerprint() == origin;
            let key = (0..KEYS).map(key).find(of_key).unwrap();
            Credentials::pair(key.key.clone(), authority.sign(&key.csr)).unwrap()
        });
        names.insert(found.id().unwrap(), id.clone());
        found.clone()
    }

    /// What the world calls a certificate of the device.
    pub fn name(&self, credentials: &Credentials) -> CertificateId {
        self.names[&credentials.id().unwrap()].clone()
    }

    /// What the device remembers to begin with.
    pub fn memory(&mut self, world: &World) -> Memory {
        Memory { current: Some(self.credentials(world, &certificate_id(0))), ..Memory::default() }
    }
}
