//! What the tests start from: a device in every state of its certificates, and when the sweep comes to see it.

use std::sync::LazyLock;

use fleet::Millis;
use fleet::attribute::{CERTIFICATE_PENDING, CERTIFICATE_PENDING_CSR, PARAMETERS, POLICY, REGISTERED};
use fleet::certificate::life::DAY;
use fleet::credentials::{Kind, Request, Rules, Run};
use fleet::csr::Csr;
use fleet::delivery::Sender;
use fleet::id::{CertificateId, DeviceId};
use fleet::row::Row;
use fleet::value::Value;
use fleet::write::Write;

use crate::cloud::Cloud;
use crate::world::{World, certificate_id};

pub const NOW: Millis = 1_700_000_000_000;
/// When the first certificate is due for renewal, whatever the device's share.
pub const RENEWAL: Millis = NOW + 310 * DAY;
pub const AUTHORITY: &str = "arn:aws:acm-pca:eu-west-1:123456789012:certificate-authority/a";
const POLICY_NAME: &str = "device-policy";
pub const RULES: Rules = Rules { attempts_limit: 3, ..Rules::DEFAULT };

pub fn device() -> DeviceId {
    DeviceId::parse("dev-1").unwrap()
}

/// One of three CSRs of the device, each for a key of its own.
fn csr(which: usize) -> Csr {
    static CSRS: LazyLock<[Csr; 3]> = LazyLock::new(|| {
        std::array::from_fn(|_| {
            let mut params = rcgen::CertificateParams::new([]).unwrap();
            params.distinguished_name = rcgen::DistinguishedName::new();
            let key = rcgen::KeyPair::generate().unwrap();
            Csr::parse(&params.serialize_request(&key).unwrap().pem().unwrap(), &device()).unwrap()
        })
    });
    CSRS[which].clone()
}

/// A message at this time, over this certificate or over the claim certificate.
pub fn request(kind: Kind, over: Option<usize>, at: Millis) -> Request {
    let principal = certificate_id(over.unwrap_or(0xc1a1)).to_string();
    Request { sender: Sender { device: device(), principal, trace: format!("t-{at}"), received_at: at }, kind }
}

pub fn register(which: usize, at: Millis) -> Request {
    request(Kind::Register { csr: Some(csr(which)), proof: None, product: None }, None, at)
}

pub fn confirm(over: usize, at: Millis) -> Request {
    request(Kind::Confirm, Some(over), at)
}

pub fn renew(which: usize, over: usize, at: Millis) -> Request {
    request(Kind::Renew { csr: csr(which), reason: None }, Some(over), at)
}

pub fn confirm_renewal(over: usize, at: Millis) -> Request {
    request(Kind::ConfirmRenewal, Some(over), at)
}

/// Handles a message to its end.
pub fn handle(cloud: &mut Cloud, request: &Request) {
    let mut run = Run::new(&RULES, request, request.sender.received_at);
    while !run.stage().is_empty() {
        let answers = run.stage().iter().map(|effect| cloud.perform_for(&run, effect)).collect();
        run.take(answers).unwrap();
    }
}

fn after<const N: usize>(mut cloud: Cloud, requests: [Request; N]) -> Cloud {
    for request in requests {
        handle(&mut cloud, &request);
    }
    cloud
}

/// `cloud` after an edit of the device's row by hand.
pub fn edited(mut cloud: Cloud, write: &Write) -> Cloud {
    cloud.world.edit(write);
    cloud
}

pub fn revoked(cloud: Cloud) -> Cloud {
    edited(cloud, &Write::new().set(REGISTERED, "revoked"))
}

fn listed() -> Cloud {
    let attributes =
        [(REGISTERED, Value::Flag(false)), (POLICY, POLICY_NAME.into()), (PARAMETERS, r#"{"topic":"a/b"}"#.into())];
    let row = Some(Row(attributes.map(|(name, value)| (name.to_owned(), value)).into()));
    let world = World { row, policies: [POLICY_NAME.to_owned()].into(), ..World::default() };
    Cloud { world, connected: true, ..Cloud::default() }
}

/// A device that was given its first certificate.
pub fn pending() -> Cloud {
    after(listed(), [register(0, NOW)])
}

/// A device with its first certificate.
pub fn confirmed() -> Cloud {
    after(pending(), [confirm(0, NOW + 1)])
}

/// A device that was given its second certificate.
pub fn renewing() -> Cloud {
    after(confirmed(), [renew(1, 0, RENEWAL)])
}

/// A device with its second certificate, while the first one still works.
pub fn renewed() -> Cloud {
    after(renewing(), [confirm_renewal(1, RENEWAL + 1)])
}

/// A device with its second certificate, because somebody else may have the key of the first one.
pub fn rescued() -> Cloud {
    let reason = Some("key_compromise".to_owned());
    let asked = request(Kind::Renew { csr: csr(1), reason }, Some(0), RENEWAL);
    after(confirmed(), [asked, confirm_renewal(1, RENEWAL + 1)])
}

/// A device that started afresh: its first certificate is out of service, and its authority knows nothing of it.
pub fn replaced() -> Cloud {
    let reopened = edited(confirmed(), &Write::new().set(REGISTERED, false));
    after(reopened, [register(1, RENEWAL), confirm(1, RENEWAL + 1)])
}

/// A device that starts afresh and has not confirmed.
pub fn replacing() -> Cloud {
    after(edited(confirmed(), &Write::new().set(REGISTERED, false)), [register(1, RENEWAL)])
}

/// A certificate of which the row knows nothing: a registration died after it had been entered.
pub fn orphaned() -> Cloud {
    edited(renewing(), &Write::new().remove(CERTIFICATE_PENDING).remove(CERTIFICATE_PENDING_CSR))
}

pub fn first() -> CertificateId {
    certificate_id(0)
}

pub fn second() -> CertificateId {
    certificate_id(1)
}

/// Clouds with something to do, and when the clock brings it.
pub fn scenes() -> Vec<(&'static str, Cloud, Millis)> {
    let late = RENEWAL + 1 + DAY;
    let slow = |mut cloud: Cloud| {
        cloud.world.slow = true;
        cloud
    };
    let plain = [
        ("a certificate that was never confirmed", pending(), NOW + DAY),
        ("a renewal that was never confirmed", renewing(), RENEWAL + DAY),
        ("a fresh start that was never confirmed", replacing(), RENEWAL + DAY),
        ("a certificate whose grace is over", renewed(), late),
        ("a certificate that was replaced", replaced(), late),
        ("a certificate that no row knows", orphaned(), late),
        ("a certificate that is due", confirmed(), RENEWAL),
    ];
    let revocations = [
        ("a revoked device with a pending certificate", revoked(pending()), NOW + DAY),
        ("a revoked device", revoked(confirmed()), RENEWAL),
        ("a revoked device that was renewing", revoked(renewing()), late),
        ("a revoked device that has renewed", revoked(renewed()), late),
        ("a revoked device that started afresh", revoked(replaced()), late),
        ("a revoked device with a certificate that no row knows", revoked(orphaned()), late),
    ];
    let all = plain.into_iter().chain(revocations);
    all.flat_map(|(name, cloud, at)| [(name, cloud.clone(), at), (name, slow(cloud), at)]).collect()
}
