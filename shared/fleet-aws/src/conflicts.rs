//! A write that meets a transaction on the same row is refused, whatever its conditions say. The transaction is over
//! within milliseconds: then the same write is tried again.

use std::time::Duration;

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::orchestrator::OrchestratorError;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction};
use aws_smithy_types::retry::RetryConfig;

/// Attempts of a call to DynamoDB, the first one included.
const ATTEMPTS: u32 = 6;
/// The first pause is shorter than this, each one after it up to twice as long as the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// How a call to DynamoDB is tried again, which answers and recovers faster than the control plane of IoT.
pub(crate) fn retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(ATTEMPTS).with_initial_backoff(FIRST_PAUSE)
}

/// Says of a conflict with a transaction that it passes.
#[derive(Debug)]
pub(crate) struct Conflicts;

impl ClassifyRetry for Conflicts {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let error = context.output_or_error().and_then(Result::err).and_then(OrchestratorError::as_operation_error);
        match error.and_then(|error| error.downcast_ref()) {
            Some(UpdateItemError::TransactionConflictException(_)) => RetryAction::transient_error(),
            _ => RetryAction::NoActionIndicated,
        }
    }

    fn name(&self) -> &'static str {
        "conflicts with transactions"
    }
}
