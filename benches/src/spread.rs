//! Median and quartiles.

/// The middle of some measurements, and how far they lie apart.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Spread {
    /// A quarter of the measurements are below.
    pub(crate) low: f64,
    /// Half are below.
    pub(crate) median: f64,
    /// A quarter are above.
    pub(crate) high: f64,
}

impl Spread {
    /// The spread of `values`; zero of none.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        Self { low: at(&values, 1), median: at(&values, 2), high: at(&values, 3) }
    }
}

/// The value that `quarters` quarters of a sorted list lie below, between two where it falls between them.
fn at(sorted: &[f64], quarters: usize) -> f64 {
    let place = sorted.len().saturating_sub(1) * quarters;
    let (index, part) = (place / 4, place % 4);
    let value = |index: usize| sorted.get(index).or(sorted.last()).copied().unwrap_or_default();
    let weight = [0.0, 0.25, 0.5, 0.75].get(part).copied().unwrap_or_default();
    value(index) * (1.0 - weight) + value(index + 1) * weight
}

#[cfg(test)]
mod tests {
    use super::Spread;

    #[test]
    fn quartiles_lie_between_values() {
        let spread = Spread::of([4.0, 1.0, 3.0, 2.0, 5.0]);
        assert_eq!((spread.low, spread.median, spread.high), (2.0, 3.0, 4.0));
        let even = Spread::of([1.0, 2.0]);
        assert_eq!((even.low, even.median, even.high), (1.25, 1.5, 1.75));
        assert_eq!(Spread::of([]).median, 0.0);
    }
}
