//! An answer for every device that asked and got nothing: it shall not wait for what does not come.

use super::context::{Chore, Context};
use super::effect::Effect;
use super::ledger::Ledger;
use super::plan::{MOVES_MAX, Plan, put};
use crate::message::Upgrade;
use crate::ota::execution::{Asked, Execution, answered};
use crate::ota::policy::Mode;
use crate::ota::standing::Standing;
use crate::topic::Downstream;

/// Answers the devices that asked and got no slot. In a job on request they are away until they ask again.
pub(super) fn answer(context: &Context<'_>, ledger: &Ledger) -> Chore {
    let waits = |execution: &Execution| execution.asked.is_some() && !execution.has_slot();
    let asking: Vec<_> = context.bells().filter(waits).take(MOVES_MAX).collect();
    if asking.is_empty() || ledger.progress.is_none() {
        return Ok(None);
    }
    let on_request = ledger.policy.as_ref().is_ok_and(|policy| policy.mode == Mode::Request);
    let mut plan = Plan::new(ledger);
    for execution in &asking {
        let to = match execution.standing {
            Standing::Waiting if on_request && execution.attempt == 1 => Standing::Away,
            standing => standing,
        };
        let stands = put(execution, to, ledger.pace());
        plan.settle(execution, to, |write| answered(stands(write)));
        if matches!(execution.asked, Some((Asked::Request, _))) {
            plan.then.push(Effect::publish(&execution.device, Downstream::OtaFirmware, &Vec::<Upgrade>::new()));
        }
    }
    Ok(Some(plan))
}
