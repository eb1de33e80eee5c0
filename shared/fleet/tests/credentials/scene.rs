//! What the tests start from: a device, its requests, and worlds that a row can be in when a message arrives.

use std::sync::LazyLock;

use fleet::Millis;
use fleet::attribute::{
    CERTIFICATE_NOT_AFTER, COUNTED_DAY, DAILY_LIMIT, NEW_DEVICES, PARAMETERS, POLICY, PROBLEM, REGISTERED,
    RENEW_AFTER_EXPIRY, SECRET,
};
use fleet::certificate::life::DAY;
use fleet::credentials::{Kind, Request, Rules};
use fleet::csr::Csr;
use fleet::delivery::Sender;
use fleet::id::{CertificateId, DeviceId, ProductName};
use fleet::proof;
use fleet::row::Row;
use fleet::table::Key;
use fleet::value::Value;
use fleet::write::Write;

use crate::renewal::scenarios::renewals;
use crate::steps::handle;
use crate::world::{Certificate, PRODUCT_NAME, World, certificate_id};

pub const NOW: Millis = 1_700_000_000_000;
pub const POLICY_NAME: &str = "device-policy";
pub const SECRET_TEXT: &str = "correct horse";
pub const RULES: Rules = Rules { attempts_limit: 3, ..Rules::DEFAULT };

pub fn device() -> DeviceId {
    DeviceId::parse("dev-1").unwrap()
}

/// Id of the claim certificate, which is none of the world's.
pub fn claim_certificate() -> CertificateId {
    certificate_id(0xc1a1)
}

/// One of the device's CSRs: the first four are each for a key of its own, the fifth is for the key of the first again,
/// the sixth for that of the second.
pub fn csr(which: usize) -> Csr {
    static CSRS: LazyLock<Vec<Csr>> = LazyLock::new(|| {
        let keys: Vec<_> = (0..4).map(|_| rcgen::KeyPair::generate().unwrap()).collect();
        let first = keys.iter().map(|key| made(key, ""));
        first.chain(keys.iter().take(2).map(|key| made(key, device().as_str()))).collect()
    });
    CSRS[which].clone()
}

fn made(key: &rcgen::KeyPair, name: &str) -> Csr {
    let mut params = rcgen::CertificateParams::new([]).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    Csr::parse(&params.serialize_request(key).unwrap().pem().unwrap(), &device()).unwrap()
}

/// The `number`th message: its trace id and its time.
pub fn sender(number: u64, principal: &CertificateId) -> Sender {
    Sender {
        device: device(),
        principal: principal.to_string(),
        trace: format!("t-{number}"),
        received_at: NOW - 1_000 + number,
    }
}

/// `register/request` as the `number`th message.
pub fn request(number: u64, csr: Option<Csr>) -> Request {
    Request { sender: sender(number, &claim_certificate()), kind: Kind::Register { csr, proof: None, product: None } }
}

/// As [`request`], with a proof made with `secret` at the time of the message.
pub fn proven(number: u64, csr: Option<Csr>, secret: &str) -> Request {
    let sender = sender(number, &claim_certificate());
    let proof = proof::make(secret, &sender.device, sender.received_at, csr.as_ref().map(Csr::pem));
    Request { sender, kind: Kind::Register { csr, proof: Some(proof), product: None } }
}

/// As [`proven`], of a device that says that it is one of the product.
pub fn of_product(number: u64, csr: Option<Csr>, secret: &str) -> Request {
    let mut request = proven(number, csr, secret);
    if let Kind::Register { product, .. } = &mut request.kind {
        *product = ProductName::parse(PRODUCT_NAME);
    }
    request
}

/// `register/ok` as the `number`th message, over the certificate `principal`.
pub fn confirmation(number: u64, principal: &CertificateId) -> Request {
    Request { sender: sender(number, principal), kind: Kind::Confirm }
}

/// What a device sends that asks for the same anew: another message, with a new and right proof.
pub fn anew(number: u64, request: &Request) -> Request {
    match &request.kind {
        Kind::Register { csr, product: Some(_), .. } => of_product(number, csr.clone(), SECRET_TEXT),
        Kind::Register { csr, proof: Some(_), .. } => proven(number, csr.clone(), SECRET_TEXT),
        kind => {
            let principal = CertificateId::parse(&request.sender.principal).unwrap();
            Request { sender: sender(number, &principal), kind: kind.clone() }
        }
    }
}

/// A device that an operator has just listed.
pub fn listed() -> World {
    let attributes =
        [(REGISTERED, Value::Flag(false)), (POLICY, POLICY_NAME.into()), (PARAMETERS, r#"{"topic":"a/b"}"#.into())];
    let key = Key::device(device().as_str()).attributes();
    World {
        row: Some(Row(attributes.map(|(name, value)| (name.to_owned(), value)).into_iter().chain(key).collect())),
        policies: [POLICY_NAME.to_owned()].into(),
        ..World::default()
    }
}

/// A listed device that has to prove a secret.
pub fn secured() -> World {
    edited(listed(), &Write::new().set(SECRET, SECRET_TEXT))
}

/// A device that nobody has listed, of a product that takes in two devices a day.
pub fn unlisted() -> World {
    let mut product = secured().row.unwrap();
    product.0.remove(REGISTERED);
    product.0.insert(DAILY_LIMIT.to_owned(), 2.into());
    World { row: None, product: Some(product), ..listed() }
}

/// The same with the product's row edited.
pub fn unlisted_with(edit: &Write) -> World {
    let mut world = unlisted();
    edit.apply(world.product.as_mut().unwrap()).unwrap();
    world
}

/// A device of the product that was given a certificate by the first message.
pub fn taken_in() -> World {
    after(unlisted(), [of_product(1, Some(csr(0)), SECRET_TEXT)])
}

/// A device that was given a certificate by the first message.
pub fn pending(csr: Option<Csr>) -> World {
    after(listed(), [request(1, csr)])
}

/// A device that has confirmed its certificate, by the second message.
pub fn confirmed(csr: Option<Csr>) -> World {
    after(pending(csr), [confirmation(2, &certificate_id(0))])
}

/// A device with a certificate that may register anew.
pub fn reopened() -> World {
    edited(confirmed(Some(csr(0))), &Write::new().set(REGISTERED, false))
}

/// A device with a certificate, and another one that waits for its confirmation.
pub fn renewing() -> World {
    after(reopened(), [request(3, Some(csr(1)))])
}

/// A registered device whose certificate has ended so long ago, and that may renew all the same.
pub fn expired(ago: Millis) -> World {
    let edit = Write::new().set(CERTIFICATE_NOT_AFTER, NOW - ago).set(RENEW_AFTER_EXPIRY, true);
    edited(confirmed(Some(csr(0))), &edit)
}

/// `world` after these messages.
pub fn after(mut world: World, requests: impl IntoIterator<Item = Request>) -> World {
    for request in requests {
        handle(&mut world, &request);
    }
    world
}

/// `world` after an edit by hand.
pub fn edited(mut world: World, write: &Write) -> World {
    world.edit(write);
    world
}

/// A message, and the world that it comes into.
pub struct Scenario {
    pub name: &'static str,
    pub world: World,
    pub request: Request,
}

/// Every state of a row that makes a difference, with every message that makes one there; with calls that take
/// effect at once, with slow ones, and with an authority that issues once a token.
pub fn scenarios() -> impl Iterator<Item = Scenario> {
    let registration =
        requests().into_iter().chain(products()).chain(confirmations()).chain(operators()).chain(unusable_rows());
    registration.chain(renewals()).flat_map(|(name, world, request)| {
        [(false, false), (true, false), (true, true)].map(|(slow, knowing)| Scenario {
            name,
            world: World { slow, knowing, ..world.clone() },
            request: request.clone(),
        })
    })
}

pub type Parts = (&'static str, World, Request);

fn requests() -> Vec<Parts> {
    let (a, b) = (|| Some(csr(0)), || Some(csr(1)));
    let limit = || after(pending(a()), [request(2, b()), request(3, a())]);
    let proven_pending = || after(secured(), [proven(1, a(), SECRET_TEXT)]);
    vec![
        ("a first request with a CSR", listed(), request(9, a())),
        ("a first request without a CSR", listed(), request(9, None)),
        ("a first request with a proof", secured(), proven(9, a(), SECRET_TEXT)),
        ("a first request with a proof, without a CSR", secured(), proven(9, None, SECRET_TEXT)),
        ("the same CSR again", pending(a()), request(9, a())),
        ("another CSR before the confirmation", pending(a()), request(9, b())),
        ("no CSR after a CSR", pending(a()), request(9, None)),
        ("no CSR twice", pending(None), request(9, None)),
        ("the same CSR again with a proof", proven_pending(), proven(9, a(), SECRET_TEXT)),
        ("another CSR with a proof", proven_pending(), proven(9, b(), SECRET_TEXT)),
        ("a wrong proof", proven_pending(), proven(9, b(), "battery staple")),
        ("one more request than the limit", limit(), request(9, b())),
        ("the same CSR at the limit", limit(), request(9, a())),
        ("a registered device asks again", confirmed(a()), request(9, a())),
        ("an unknown device", World { row: None, ..listed() }, request(9, a())),
    ]
}

fn products() -> Vec<Parts> {
    let (a, b) = (|| Some(csr(0)), || Some(csr(1)));
    let full = Write::new().set(COUNTED_DAY, "2023-11-14").set(NEW_DEVICES, 2);
    let mended = Write::new().set(PROBLEM, "policy: found nothing, expected another");
    let gone = || World { product: None, ..taken_in() };
    let secret = SECRET_TEXT;
    vec![
        ("a first device of a product", unlisted(), of_product(9, a(), secret)),
        ("a first device of a product, without a CSR", unlisted(), of_product(9, None, secret)),
        ("a device of a product with a wrong proof", unlisted(), of_product(9, a(), "battery staple")),
        ("one device more than the limit", unlisted_with(&full), of_product(9, a(), secret)),
        (
            "a product's row that cannot be used",
            unlisted_with(&Write::new().remove(POLICY)),
            of_product(9, a(), secret),
        ),
        ("a product's row that was mended", unlisted_with(&mended), of_product(9, a(), secret)),
        ("a product that does not exist", World { product: None, ..unlisted() }, of_product(9, a(), secret)),
        ("a device of a product asks again", taken_in(), of_product(9, a(), secret)),
        ("a device of a product asks for another certificate", taken_in(), proven(9, b(), secret)),
        ("a device of a product without a proof", taken_in(), request(9, b())),
        ("a device of a product that is gone", gone(), of_product(9, b(), secret)),
        (
            "a policy of a product that does not exist",
            World { policies: [].into(), ..unlisted() },
            of_product(9, a(), secret),
        ),
    ]
}

fn confirmations() -> Vec<Parts> {
    let a = || Some(csr(0));
    vec![
        ("a first confirmation", pending(a()), confirmation(9, &certificate_id(0))),
        ("a confirmation that replaces a certificate", renewing(), confirmation(9, &certificate_id(1))),
        ("a confirmation once more", confirmed(a()), confirmation(9, &certificate_id(0))),
        ("a confirmation over the claim certificate", pending(a()), confirmation(9, &claim_certificate())),
        ("a confirmation over the previous certificate", renewing(), confirmation(9, &certificate_id(0))),
        ("a confirmation without a request", listed(), confirmation(9, &claim_certificate())),
    ]
}

fn operators() -> Vec<Parts> {
    let (a, b) = (|| Some(csr(0)), || Some(csr(1)));
    let opened = |world| edited(world, &Write::new().set(REGISTERED, " False "));
    let blocked = || after(pending(a()), [request(2, b()), request(3, a()), request(4, b())]);
    let with_all = |certificate: Certificate, mut world: World| {
        world.certificates.values_mut().for_each(|found| *found = certificate.clone());
        world
    };
    let deleted = || Certificate { deleted: true, ..Certificate::default() };
    let revoked = || Certificate { revoked: true, thing: true, ..Certificate::default() };
    vec![
        ("a fresh start with a confirmed certificate", reopened(), request(9, b())),
        ("a fresh start with the confirmed certificate's CSR", reopened(), request(9, a())),
        ("a fresh start with a pending certificate, same CSR", opened(pending(a())), request(9, a())),
        ("a fresh start with a pending certificate, other CSR", opened(renewing()), request(9, a())),
        ("a fresh start after the certificate has expired", expired(DAY), request(9, b())),
        ("a fresh start after a lockout", opened(blocked()), request(9, a())),
        ("a pending certificate that an operator deleted", with_all(deleted(), pending(a())), request(9, a())),
        ("a pending certificate that an operator revoked", with_all(revoked(), pending(a())), request(9, a())),
        ("a thing that an operator deleted", World { thing: false, ..pending(a()) }, request(9, a())),
    ]
}

fn unusable_rows() -> Vec<Parts> {
    let (a, b) = (|| Some(csr(0)), || Some(csr(1)));
    let no_policy = |world| World { policies: [].into(), ..world };
    let broken = |world| edited(world, &Write::new().set(PARAMETERS, "{"));
    let mended =
        || edited(after(broken(listed()), [request(1, a())]), &Write::new().set(PARAMETERS, r#"{"topic":"t"}"#));
    vec![
        ("a row that cannot be used", broken(listed()), request(9, a())),
        ("a row that cannot be used, over a pending certificate", broken(pending(a())), request(9, b())),
        ("a row that was mended", mended(), request(9, a())),
        ("a policy that does not exist", no_policy(listed()), request(9, a())),
        ("a policy that does not exist, over a pending certificate", no_policy(pending(a())), request(9, b())),
        ("a policy that does not exist, same CSR", no_policy(pending(a())), request(9, a())),
        ("a policy that does not exist, with a proof", no_policy(secured()), proven(9, a(), SECRET_TEXT)),
    ]
}
