//! What all agents together, and a single job, may spend. An agent's own limit is set over the API.

use super::{ConfigError, Source};
use domain::budget::{Limit, Micros};

/// Limits the operator decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BudgetsConfig {
    /// What all agents together may spend in a UTC day.
    pub tenant_per_day: Limit,
    /// What one job may spend.
    pub job: Limit,
}

impl BudgetsConfig {
    pub(super) fn from_source(source: &Source) -> Result<Self, ConfigError> {
        Ok(Self {
            tenant_per_day: limit(source, "TENANT_BUDGET_MICROS_PER_DAY", 100_000_000)?,
            job: limit(source, "JOB_BUDGET_MICROS", 5_000_000)?,
        })
    }
}

/// No limit is something an operator writes down, never what is left out.
fn limit(source: &Source, name: &'static str, default: i64) -> Result<Limit, ConfigError> {
    if source.get(name) == Some("unlimited") {
        return Ok(Limit::Unlimited);
    }
    let expected = "a number of micro-dollars (5000000 is $5) or `unlimited`";
    let given = source.parse::<u64>(name, expected)?;
    let micros = given.map_or(default, |micros| i64::try_from(micros).unwrap_or(i64::MAX));
    Ok(Limit::Of(Micros(micros)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> Result<Limit, String> {
        let source = Source::from_values([("JOB_BUDGET_MICROS", value.to_owned())]);
        let config = BudgetsConfig::from_source(&source);
        config
            .map(|config| config.job)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_limit_is_a_number_or_said_to_be_none() {
        assert_eq!(read(""), Ok(Limit::Of(Micros(5_000_000))));
        assert_eq!(read("0"), Ok(Limit::Of(Micros(0))));
        assert_eq!(read("unlimited"), Ok(Limit::Unlimited));
        assert!(read("-1").unwrap_err().contains("micro-dollars"));
    }
}
