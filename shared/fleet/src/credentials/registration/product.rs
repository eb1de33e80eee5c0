//! Products: a device that no operator has listed, but that proves its product's secret, gets a row made from its
//! product's; then it registers as any other.

use crate::Millis;
use crate::credentials::effect::{Creation, Effect};
use crate::credentials::known::ReadProduct;
use crate::credentials::plan::{Outcome, Plan};
use crate::credentials::refuse::{error, refuse};
use crate::credentials::{Kind, Request, Rules};
use crate::csr::Csr;
use crate::id::ProductName;
use crate::problem::Problem;
use crate::product::Product;
use crate::proof;
use crate::refusal::{Code, Refusal};
use crate::row::Row;

/// The plan for a device that has no row.
pub(in crate::credentials) fn unlisted(
    rules: &Rules,
    request: &Request,
    now: Millis,
    product: Option<&ReadProduct>,
) -> Plan {
    let Kind::Register { csr, proof, product: Some(name) } = &request.kind else {
        return refuse(request, Refusal::unknown_device());
    };
    let row = match find(name, product) {
        Ok(Some(row)) => row,
        Ok(None) => return refuse(request, Refusal::unknown_device()),
        Err(look) => return look,
    };
    let product = match Product::read(name, row) {
        Ok(product) => product,
        Err(problem) => return report(request, now, name, row, &problem),
    };
    let (sender, csr) = (&request.sender, csr.as_ref().map(Csr::pem));
    let skew = rules.proof_clock_skew;
    match proof::check(proof.as_ref(), product.secret(), &sender.device, csr, sender.received_at, skew) {
        Ok(_) => take_in(request, now, name, &product),
        Err(refusal) => refuse(request, refusal),
    }
}

/// The row of the product `name`, if it has one; or the plan that reads it.
pub(super) fn find<'a>(name: &ProductName, product: Option<&'a ReadProduct>) -> Result<Option<&'a Row>, Plan> {
    match product.filter(|product| product.name == *name) {
        Some(product) => Ok(product.row.as_ref()),
        None => Err(Plan::then_decide(vec![Effect::LookUpProduct(name.clone())])),
    }
}

/// Tells the operator what is wrong with the product's row, and the device that it has to wait.
pub(super) fn report(request: &Request, now: Millis, name: &ProductName, row: &Row, problem: &Problem) -> Plan {
    let refusal = Refusal::row_invalid();
    let note = (!problem.noted_in(row)).then(|| Effect::NoteProduct(name.clone(), problem.note(now)));
    Plan::done(vec![vec![error(request, &refusal)]], Outcome::Refused(refusal)).with(note)
}

/// Makes the device's row, while the day's limit is not reached.
fn take_in(request: &Request, now: Millis, name: &ProductName, product: &Product<'_>) -> Plan {
    let settled = product.settled().map(|write| Effect::NoteProduct(name.clone(), write));
    let counted = match product.counted(now) {
        Ok(counted) => counted,
        Err(next_day) => {
            let message = "no more new devices of this product are taken in today: ask again in `retry_after` seconds";
            return refuse(request, Refusal::new(Code::LimitReached, message).until(next_day, now)).with(settled);
        }
    };
    let (device, listed) = (request.sender.device.clone(), product.listed());
    let create = Effect::Create(Creation { device, listed, product: name.clone(), counted });
    let mut plan = Plan::then_decide(vec![create]);
    // Before that, because nobody would come back for it.
    plan.stages.splice(..0, settled.map(|settled| vec![settled]));
    plan
}
