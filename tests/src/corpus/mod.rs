//! The shared corpus: requests as data, each with the one verdict that every surface must give.

mod case;
mod check;
mod load;
mod outcome;
mod prepare;
mod report;
mod snapshot;

pub use case::{Case, Exception, Expect, Family, Listener, Over, Place, Revocation, Where};
pub use check::disagreement;
pub use load::{Corpus, REQUIRED_ATTACKS, Tokens, VARIANTS};
pub use outcome::{Forwarded, Outcome};
pub use prepare::{Prepared, Preparer};
pub use report::Report;
pub use snapshot::{ISSUER, SnapshotChange, document};
