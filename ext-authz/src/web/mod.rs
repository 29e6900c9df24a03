//! What the HTTP endpoints have in common, whatever form their errors have.

mod answer;
mod body;
mod media_type;

pub(crate) use answer::{error_answer, uncached};
pub(crate) use body::{BodyError, read_whole};
pub(crate) use media_type::is_media_type;
