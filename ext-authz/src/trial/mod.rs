//! Policy tried out without a server: what it decides, and what it takes a request for.
//!
//! Everything here asks the verdict itself, with tokens under a key that is thrown away: nothing of how requests are
//! read is written a second time.

mod cases;
mod explain;
mod request;
mod throwaway;
mod value;

pub use cases::{Case, CaseFile, CaseFileError, Outcome};
pub use explain::{Explanation, Meaning, Parameter, explain};
pub use request::{BodyLine, RequestLine};
pub use throwaway::{Trial, TrialError};

/// What is wrong with a request of which it is only known that it has a body.
const UNKNOWN_BODY: &str = "the rule reads the body, and what it says is not given";
