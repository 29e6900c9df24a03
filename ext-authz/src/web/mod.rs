//! What the HTTP endpoints have in common, whatever form their errors have.

mod answer;
mod body;
mod json;
mod media_type;
mod parameters;
mod problem;

pub(crate) use answer::{Challenge, error_answer, uncached};
pub(crate) use body::{BodyError, read_whole};
pub(crate) use json::read_json;
pub(crate) use media_type::is_media_type;
pub(crate) use parameters::Parameters;
pub(crate) use problem::Problem;
