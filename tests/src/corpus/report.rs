//! What came of a run: a table, exceptions with their reasons, and every disagreement.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use super::case::{Case, Exception, Place};

/// Counts and disagreements of one run.
#[derive(Debug, Default)]
pub struct Report {
    verdicts: BTreeMap<String, [usize; 4]>,
    cases: BTreeMap<String, usize>,
    reasons: BTreeSet<String>,
    absent: usize,
    disagreements: Vec<String>,
}

impl Report {
    /// Notes a case, once.
    pub fn case(&mut self, family: &str) {
        *self.cases.entry(family.to_owned()).or_insert(0) += 1;
    }

    /// Notes one verdict, or that it cannot be had there.
    pub fn verdict(&mut self, family: &str, case: &Case, place: Place, disagreement: Option<String>) {
        let reason = match case.exception(place) {
            None => None,
            Some(Exception::NotThere(reason)) => {
                self.absent += 1;
                Some(reason)
            }
            Some(Exception::Refused(reason) | Exception::Verdict(_, reason)) => Some(reason),
        };
        if let Some(reason) = reason {
            self.reasons.insert(format!("{}: {reason}", place.name()));
        }
        if matches!(case.exception(place), Some(Exception::NotThere(_))) {
            return;
        }
        let counts = self.verdicts.entry(family.to_owned()).or_default();
        if let Some(count) = Place::ALL.iter().position(|one| *one == place).and_then(|at| counts.get_mut(at))
        {
            *count += 1;
        }
        if let Some(what) = disagreement {
            self.disagreements.push(format!("{family} / {} on {}: {what}", case.name, place.name()));
        }
    }

    /// Every disagreement, in a line each.
    pub fn disagreements(&self) -> &[String] {
        &self.disagreements
    }

    /// How many cases there were.
    pub fn case_count(&self) -> usize {
        self.cases.values().sum()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            out,
            "{:<14}{:>7}{:>9}{:>7}{:>7}{:>11}",
            "family", "cases", "verdict", "check", "wasm", "ext_authz"
        )?;
        for (family, cases) in &self.cases {
            let [verdict, check, wasm, ext_authz] = self.verdicts.get(family).copied().unwrap_or_default();
            writeln!(out, "{family:<14}{cases:>7}{verdict:>9}{check:>7}{wasm:>7}{ext_authz:>11}")?;
        }
        writeln!(out, "where a surface cannot try a case as it is, or Envoy answers first:")?;
        for reason in &self.reasons {
            writeln!(out, "  {reason}")?;
        }
        let total: usize = self.verdicts.values().flatten().sum();
        write!(
            out,
            "corpus: {} cases x {} surfaces = {total} verdicts ({} not to be had), ",
            self.case_count(),
            Place::ALL.len(),
            self.absent
        )?;
        match self.disagreements.len() {
            0 => writeln!(out, "all agree"),
            count => {
                writeln!(out, "{count} disagree:")?;
                self.disagreements.iter().try_for_each(|line| writeln!(out, "  {line}"))
            }
        }
    }
}
