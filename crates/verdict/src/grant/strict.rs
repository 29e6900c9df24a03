//! Deserializing without forgiveness: repeated members, empty lists and lists over their cap are errors.

use alloc::{collections::BTreeMap, vec::Vec};
use core::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, SeqAccess, Visitor},
};

/// Members of one object that a token or snapshot may have at most, so that work stays bounded.
const MAX_MEMBERS: usize = 256;

/// A map whose repeated keys are errors: `serde` alone keeps the last, another parser may keep the first.
///
/// # Errors
/// A repeated key, more than 256 members, or whatever the members' own deserializers refuse.
pub fn unique_map<'de, D, K, V>(deserializer: D) -> Result<BTreeMap<K, V>, D::Error>
where
    D: Deserializer<'de>,
    K: Deserialize<'de> + Ord + fmt::Display,
    V: Deserialize<'de>,
{
    struct Members<K, V>(PhantomData<(K, V)>);

    impl<'de, K, V> Visitor<'de> for Members<K, V>
    where
        K: Deserialize<'de> + Ord + fmt::Display,
        V: Deserialize<'de>,
    {
        type Value = BTreeMap<K, V>;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("an object without repeated members")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut members = BTreeMap::new();
            while let Some(key) = map.next_key::<K>()? {
                if members.contains_key(&key) {
                    return Err(A::Error::custom(format_args!("repeated member `{key}`")));
                }
                if members.len() == MAX_MEMBERS {
                    return Err(A::Error::custom(format_args!("more than {MAX_MEMBERS} members")));
                }
                members.insert(key, map.next_value()?);
            }
            Ok(members)
        }
    }

    deserializer.deserialize_map(Members(PhantomData))
}

/// A list of 1 to `MAX` values.
///
/// # Errors
/// An empty list, a longer one (found before its rest is read), or a value its own deserializer refuses.
pub fn bounded_list<'de, const MAX: usize, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    struct Values<const MAX: usize, T>(PhantomData<T>);

    impl<'de, const MAX: usize, T: Deserialize<'de>> Visitor<'de> for Values<MAX, T> {
        type Value = Vec<T>;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(formatter, "a list of 1 to {MAX} values")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Self::Value, A::Error> {
            let mut values = Vec::new();
            while let Some(value) = sequence.next_element()? {
                if values.len() == MAX {
                    return Err(A::Error::custom(format_args!("more than {MAX} values")));
                }
                values.push(value);
            }
            if values.is_empty() {
                return Err(A::Error::custom("an empty list"));
            }
            // A data plane remembers many.
            values.shrink_to_fit();
            Ok(values)
        }
    }

    deserializer.deserialize_seq(Values::<MAX, T>(PhantomData))
}

/// A member that may be absent but not `null`.
///
/// # Errors
/// `null`, or whatever `T` refuses.
pub fn present<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}
