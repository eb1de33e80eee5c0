//! What went wrong with a call to AWS, by what can be done about it.

use std::error::Error;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::request_id::RequestId;

/// A call that failed. The text names operation, code, message and request id, never what was sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// What the call is about does not exist.
    #[error("{0}")]
    Missing(String),
    /// AWS refuses the input for good.
    #[error("{0}")]
    Rejected(String),
    /// Everything else, unknown errors too: redelivery may cure it.
    #[error("{0}")]
    Fault(String),
}

impl Failure {
    /// Sorts an error of the SDK.
    pub(crate) fn of<E>(operation: &str, error: &SdkError<E, HttpResponse>) -> Self
    where
        E: Error + ProvideErrorMetadata + 'static,
    {
        let SdkError::ServiceError(service) = error else {
            return Self::Fault(format!("{operation}: {}", causes(error)));
        };
        let code = service.err().code().unwrap_or("no code");
        let message = service.err().message().unwrap_or("no message");
        let request = error.request_id().unwrap_or("unknown");
        let text = format!("{operation}: {code}: {message} (request {request})");
        match code {
            "ResourceNotFoundException" | "NoSuchBucket" | "NoSuchKey" | "NoSuchVersion" | "NotFound" => {
                Self::Missing(text)
            }
            "InvalidRequestException" | "MalformedCSRException" | "ValidationException" => Self::Rejected(text),
            _ => Self::Fault(text),
        }
    }

    /// The same as a fault, where the stack itself must be at fault.
    pub(crate) fn into_fault(self) -> Self {
        match self {
            Self::Missing(text) | Self::Rejected(text) | Self::Fault(text) => Self::Fault(text),
        }
    }
}

/// For what is already as asked for when it does not exist.
pub(crate) fn unless_missing(result: Result<(), Failure>) -> Result<(), Failure> {
    match result {
        Err(Failure::Missing(_)) => Ok(()),
        result => result,
    }
}

/// An error with its sources. Not their debug form: that would repeat what was sent.
pub(crate) fn causes(error: &dyn Error) -> String {
    let chain = std::iter::successors(Some(error), |&error| error.source());
    chain.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use aws_sdk_iot::operation::create_certificate_from_csr::CreateCertificateFromCsrError as IotError;
    use aws_smithy_runtime_api::client::result::ConnectorError;
    use aws_smithy_runtime_api::http::StatusCode;
    use aws_smithy_types::body::SdkBody;
    use aws_smithy_types::error::ErrorMetadata;

    use super::*;

    fn response(status: u16) -> HttpResponse {
        let mut response = HttpResponse::new(StatusCode::try_from(status).unwrap(), SdkBody::from("hunter2"));
        response.headers_mut().insert("x-amzn-requestid", "r-1");
        response
    }

    fn service_error(code: &str) -> Failure {
        let error = IotError::generic(ErrorMetadata::builder().code(code).message("no").build());
        Failure::of("CreateThing", &SdkError::service_error(error, response(400)))
    }

    #[test]
    fn only_what_no_redelivery_can_cure_is_no_fault() {
        assert!(matches!(service_error("ResourceNotFoundException"), Failure::Missing(_)));
        assert!(matches!(service_error("InvalidRequestException"), Failure::Rejected(_)));
        let faults = [
            "ThrottlingException",
            "LimitExceededException",
            "ServiceUnavailableException",
            "InternalFailureException",
            "AccessDeniedException",
            "UnauthorizedException",
            "DeleteConflictException",
            "NeverHeardOf",
        ];
        for code in faults {
            assert!(matches!(service_error(code), Failure::Fault(_)), "{code}");
        }
    }

    #[test]
    fn a_failure_names_operation_code_message_and_request() {
        let text = service_error("ThrottlingException").to_string();
        assert_eq!(text, "CreateThing: ThrottlingException: no (request r-1)");
    }

    #[test]
    fn a_failure_on_the_way_is_a_fault_that_repeats_nothing_of_the_body() {
        let unreadable = SdkError::<IotError, _>::response_error("no JSON", response(200));
        let refused = SdkError::<IotError, _>::dispatch_failure(ConnectorError::io("connection refused".into()));
        for (error, expected) in [(unreadable, "no JSON"), (refused, "connection refused")] {
            let failure = Failure::of("Publish", &error);
            let text = failure.to_string();
            assert!(
                matches!(failure, Failure::Fault(_)) && text.contains(expected) && !text.contains("hunter2"),
                "{text}"
            );
        }
    }
}
