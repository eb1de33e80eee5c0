//! Two deliveries of registration at once, and an operator who edits meanwhile.

use fleet::attribute::{POLICY, REGISTERED};
use fleet::credentials::Request;
use fleet::value::Value;
use fleet::write::Write;

use crate::explore::{cross, race};
use crate::scene::{
    SECRET_TEXT, after, claim_certificate, confirmation, confirmed, csr, expired, listed, of_product, pending, proven,
    renewing, reopened, request, secured, unlisted,
};
use crate::world::{World, certificate_id};

/// Two messages, in a world.
fn races() -> Vec<(&'static str, World, [Request; 2])> {
    let (a, b) = (|| Some(csr(0)), || Some(csr(1)));
    let over = |number, certificate| confirmation(number, &certificate_id(certificate));
    let proven = |number, csr| proven(number, csr, SECRET_TEXT);
    let of_product = |number, csr| of_product(number, csr, SECRET_TEXT);
    let limit = || after(pending(a()), [request(2, b())]);
    vec![
        ("the same first message twice, with a CSR", listed(), [request(5, a()), request(5, a())]),
        ("the same first message twice, without a CSR", listed(), [request(5, None), request(5, None)]),
        ("the same message twice, over a pending certificate", pending(a()), [request(5, b()), request(5, b())]),
        ("the same proof twice", secured(), [proven(5, a()), proven(5, a())]),
        ("two first requests, different keys", listed(), [request(5, a()), request(6, b())]),
        ("two first requests, the same key", listed(), [request(5, a()), request(6, a())]),
        ("two first requests without a CSR", listed(), [request(5, None), request(6, None)]),
        ("two requests, one for the pending certificate", pending(a()), [request(5, a()), request(6, b())]),
        ("two requests, the newer for the pending certificate", pending(a()), [request(5, b()), request(6, a())]),
        ("two requests at the limit", limit(), [request(5, a()), request(6, b())]),
        ("two proofs", secured(), [proven(5, a()), proven(6, b())]),
        ("two requests for a new certificate", reopened(), [request(5, b()), request(6, Some(csr(2)))]),
        ("the same first message of a product's device twice", unlisted(), [of_product(5, a()), of_product(5, a())]),
        ("two first messages of a product's device", unlisted(), [of_product(5, a()), of_product(6, b())]),
        ("two requests after the certificate has expired", expired(1), [request(5, b()), request(6, Some(csr(2)))]),
        ("a request and the confirmation before it", pending(a()), [request(6, b()), over(5, 0)]),
        ("a request and the confirmation after it", pending(a()), [request(5, b()), over(6, 0)]),
        ("the same request and the confirmation", pending(a()), [request(5, a()), over(6, 0)]),
        ("a request and a confirmation, over a certificate", renewing(), [request(5, a()), over(6, 1)]),
        ("the same confirmation twice", renewing(), [over(5, 1), over(5, 1)]),
        ("two confirmations, one forged", pending(a()), [over(5, 0), confirmation(6, &claim_certificate())]),
        ("a confirmation and one over the previous certificate", renewing(), [over(5, 1), over(6, 0)]),
        ("a registered device asks twice", confirmed(a()), [request(5, a()), request(6, b())]),
    ]
}

#[test]
fn two_deliveries_at_once_end_as_if_one_had_come_after_the_other() {
    let slow = |slow| races().into_iter().map(move |(name, world, requests)| (name, World { slow, ..world }, requests));
    race(&slow(false).chain(slow(true)).collect::<Vec<_>>());
}

/// Messages that an operator's edit may cross.
fn crossed() -> [(&'static str, World, Request); 8] {
    let (a, b) = (|| Some(csr(0)), || Some(csr(1)));
    [
        ("a first request", listed(), request(5, a())),
        ("a first request with a proof", secured(), proven(5, a(), SECRET_TEXT)),
        ("another request", pending(a()), request(5, b())),
        ("the same request", pending(a()), request(5, a())),
        ("a request for a new certificate", reopened(), request(5, b())),
        ("a confirmation", pending(a()), confirmation(5, &certificate_id(0))),
        ("a confirmation that replaces a certificate", renewing(), confirmation(5, &certificate_id(1))),
        ("a registered device asks again", confirmed(a()), request(5, a())),
    ]
}

#[test]
fn an_operators_edit_in_the_midst_of_a_delivery_ends_as_if_it_came_before_or_after() {
    let edits = [(REGISTERED, false.into()), (REGISTERED, "blocked".into()), (POLICY, Value::text("other-policy"))];
    cross(&edits.map(|(attribute, value)| Write::new().set(attribute, value)), &crossed());
}
