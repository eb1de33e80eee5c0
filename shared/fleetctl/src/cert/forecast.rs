//! How many renewals are coming.

use clap::Args;
use fleet::certificate::forecast::hours;
use serde_json::json;

use crate::clock::now;
use crate::error::Result;
use crate::place::Cloud;
use crate::print::{script, table};

#[derive(Debug, Args)]
#[expect(clippy::doc_markdown, reason = "it is the help that people read")]
pub struct Forecast {
    /// Renewals in a minute: the stack's parameter RenewalsPerMinute
    #[arg(long, default_value_t = 300, value_name = "RENEWALS", value_parser = clap::value_parser!(u64).range(1..))]
    per_minute: u64,
    /// JSON for scripts
    #[arg(long)]
    json: bool,
}

impl Forecast {
    pub(super) async fn run(&self, cloud: &Cloud) -> Result<String> {
        let forecast = cloud.tables.forecast(now()).await?;
        let periods = [("late", forecast.late), ("in 7 days", forecast.in_7_days), ("in 30 days", forecast.in_30_days)];
        let each = periods.map(|(when, renewals)| (when, renewals, hours(renewals, self.per_minute)));
        if self.json {
            let of = |(when, renewals, hours): (&str, u64, u64)| {
                (when.replace(' ', "_"), json!({ "renewals": renewals, "hours": hours }))
            };
            return Ok(script(&each.into_iter().map(of).collect()));
        }
        let mut shown = table(["due", "renewals", "hours"]);
        for (when, renewals, hours) in each {
            shown.add_row([when.to_owned(), renewals.to_string(), hours.to_string()]);
        }
        Ok(format!("{shown}\nAt {} a minute. Each line includes those before it.", self.per_minute))
    }
}
