//! The stages of a run, one after another; the effects of one stage at once.

use fleet::fault::Fault;
use futures_util::stream::{StreamExt, iter};

/// Most effects that are being performed at once: a stage may have thousands, and each takes a connection.
const AT_ONCE: usize = 64;

/// How a run ended, and after how many stages.
pub type Ended<O> = (Result<O, Fault>, u32);

/// Performs `run` to its end or to the first fault: `effects` says what is to be done next, `perform` does it, and
/// `take` hands the answers back in the same order.
pub async fn perform<R, E, A, O>(
    run: &mut R,
    effects: impl Fn(&R) -> &[E],
    perform: impl AsyncFn(&R, &E) -> A,
    take: impl Fn(&mut R, Vec<A>) -> Result<Option<O>, Fault>,
) -> Ended<O> {
    let mut stages = 0;
    loop {
        stages += 1;
        let stage = iter(effects(run)).map(|effect| perform(run, effect));
        let answers = stage.buffered(AT_ONCE).collect().await;
        if let Some(ended) = take(run, answers).transpose() {
            return (ended, stages);
        }
    }
}
