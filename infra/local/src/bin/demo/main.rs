//! `cargo demo`: a small fleet wakes up on the local cloud, over mutual TLS, through the real template and the real
//! function binaries. Then rollouts go out to two hundred of them, while ten others renew their certificates.

mod cast;
mod certificates;
mod link;
mod operator;
mod report;
mod rollout;
mod wake;

use std::error::Error;
use std::process::ExitCode;

use local::{Cloud, Issuer, Options, Progress};

use crate::cast::cast;
use crate::operator::Operator;
use crate::report::Report;

/// What keeps the demo from going on.
type Failure = Box<dyn Error + Send + Sync>;

#[tokio::main]
async fn main() -> ExitCode {
    match demo().await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => local::complain(error.as_ref()),
    }
}

async fn demo() -> Result<bool, Failure> {
    let options = Options { progress: Progress::shown(), ..Options::apart("demo").issuer(Issuer::PrivateCa) };
    let state = options.home.join("devices");
    // Every demo is a first hour: nothing is left of the last one.
    if state.exists() {
        std::fs::remove_dir_all(&state)?;
    }
    let cloud = Cloud::start(options).await?;
    let cast = cast();
    let operator = Operator::new(&cloud);
    operator.publish_software().await?;
    operator.list_devices(&cast).await?;
    let renewals = certificates::begin(&operator, &cloud, &state).await?;
    println!("{} devices wake up with the claim certificate they all share.\n", cast.len());
    let endings = wake::all(&cast, cloud.connection(), &state).await?;
    let rows = operator.rows(&cast).await?;
    let report = Report::new(&cast, &endings, &rows);
    println!("\n{report}");
    let rolled_out = rollout::play(&operator, cloud.connection()).await?;
    let renewed = renewals.end(&operator).await?;
    cloud.stop().await?;
    Ok(report.is_as_it_should_be() && rolled_out && renewed)
}
