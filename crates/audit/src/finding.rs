//! What is wrong with a log.

use std::fmt;

use serde::Serialize;

use crate::Source;

/// A fault at a place of a chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Whose chain.
    pub writer: String,
    /// Which batch; 0 where it is about the chain.
    pub seq: u64,
    /// What is wrong.
    #[serde(flatten)]
    pub fault: Fault,
}

/// What can be wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Fault {
    /// The batch was changed after it was sealed.
    Edited,
    /// The batch was sealed for another place of the same chain.
    Moved {
        /// Which.
        from: u64,
    },
    /// The batch was sealed by somebody without the key: it was put in, or changed and sealed again.
    Forged,
    /// The batch does not follow the one before it: one of them was replaced.
    Unlinked,
    /// Batches from this one on are missing.
    Removed {
        /// The last of them.
        to: u64,
    },
    /// A batch stands where one with a higher number did before.
    Reordered,
    /// Batches from this one on are missing at the end of the chain.
    CutTail {
        /// The last of them, as far as anything tells.
        to: u64,
        /// What tells, where it is not the chain's own head.
        #[serde(skip_serializing_if = "Option::is_none")]
        by: Option<Source>,
    },
    /// A batch stands behind the chain's head.
    BehindHead,
    /// The chain's head is not the batch of this number.
    HeadDiffers,
    /// The chain's head was written by somebody without the key.
    HeadForged,
    /// The chain's head went back while it was read.
    HeadWentBack,
    /// There are batches of a writer that is not listed.
    Unlisted,
    /// Batches up to this one are gone, and nobody with the key said that they were removed for their age.
    PruningForged,
    /// A batch of this number had another hash.
    Contradicted {
        /// What tells.
        by: Source,
    },
    /// Everything of this writer is gone.
    WriterRemoved {
        /// What tells.
        by: Source,
    },
    /// A line is no event.
    NoEvent {
        /// Which, from 1.
        line: u64,
    },
    /// The batch has another number of lines than it says.
    Miscounted {
        /// How many it says.
        events: u64,
        /// How many it has.
        lines: u64,
    },
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { writer, seq, fault } = self;
        if *seq == 0 {
            write!(formatter, "writer {writer}: {fault}")
        } else {
            write!(formatter, "writer {writer}, batch {seq}: {fault}")
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Edited => formatter.write_str("was edited after it was sealed"),
            Self::Moved { from } => write!(formatter, "was moved here: it was sealed as batch {from}"),
            Self::Forged => formatter.write_str("was put in or sealed again by somebody without the key"),
            Self::Unlinked => formatter.write_str("does not follow the batch before it"),
            Self::Removed { to } => write!(formatter, "was removed, with all up to batch {to}"),
            Self::Reordered => formatter.write_str("stands behind a batch with a higher number"),
            Self::CutTail { to, by: None } => {
                write!(formatter, "was cut off, with all up to the head, batch {to}")
            }
            Self::CutTail { to, by: Some(by) } => {
                write!(formatter, "was cut off, with all up to batch {to} at least: {by} tells")
            }
            Self::BehindHead => formatter.write_str("stands behind the chain's head"),
            Self::HeadDiffers => formatter.write_str("is not the batch that the chain's head names"),
            Self::HeadForged => formatter.write_str("the chain's head was written without the key"),
            Self::HeadWentBack => formatter.write_str("the chain's head went back while it was read"),
            Self::Unlisted => formatter.write_str("has batches, and is not listed as a writer"),
            Self::PruningForged => {
                formatter.write_str("was removed, with all before it, and not for its age")
            }
            Self::Contradicted { by } => write!(formatter, "is another one than {by} tells of"),
            Self::WriterRemoved { by } => {
                write!(formatter, "all of its batches were removed: {by} tells of them")
            }
            Self::NoEvent { line } => write!(formatter, "line {line} is no event"),
            Self::Miscounted { events, lines } => {
                write!(formatter, "says that it has {events} events, and has {lines} lines")
            }
        }
    }
}
