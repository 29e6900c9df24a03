//! Task tokens, honest and forged. A token is described by data ([`TokenSpec`]), so that the corpus can say
//! what an attacker does without code.

mod key;
mod mutation;
mod spec;
mod values;

pub use key::{Key, pem};
pub use mutation::{Mutation, Part, re_encode};
pub use spec::{Forge, Signer, TokenSpec};
pub use values::{Values, unescape};
