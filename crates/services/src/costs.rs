//! What was spent and what came of it, over a span of time.

use crate::{Context, Error};
use chrono::TimeDelta;
use domain::{
    Timestamp,
    access::{Area, Right},
    budget::{Micros, day_start},
};
use ports::store::{CostFilter, CostGroup, CostRow, DayOutcome};
use std::collections::BTreeMap;

/// The span when nobody said otherwise, today included.
const DAYS: i64 = 30;
/// The longest span: what is asked for is added up while somebody waits.
const LONGEST: TimeDelta = TimeDelta::days(400);

/// A span of time; absent ends are filled in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// Not before; absent: thirty days, with today.
    pub from: Option<Timestamp>,
    /// Before; absent: now and later.
    pub to: Option<Timestamp>,
}

/// What was spent in a span.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Costs {
    /// The span as it was filled in.
    pub span: (Timestamp, Timestamp),
    /// All of it together.
    pub total: Micros,
    /// By what was asked for.
    pub rows: Vec<CostRow>,
}

/// How a day went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayReport {
    /// How its jobs ended.
    pub jobs: DayOutcome,
    /// In how many seconds half of its items had their answer.
    pub reply_p50: Option<i64>,
    /// In how many seconds all but a twentieth had it.
    pub reply_p95: Option<i64>,
}

/// What was spent, told apart as asked.
pub async fn list(
    context: &Context,
    span: Span,
    group: CostGroup,
    daily: bool,
) -> Result<Costs, Error> {
    context.authorise(Area::Costs, Right::Read)?;
    let (from, to) = fill(context, span)?;
    let tx = context.read().await?;
    let filter = CostFilter {
        from,
        to,
        group,
        daily,
        hidden: context.hidden(&tx).await?,
    };
    let mut rows = tx.reports().costs(context.tenant, &filter).await?;
    if group != CostGroup::Whole {
        let rest = rows.iter_mut().filter(|row| row.key.is_none());
        rest.for_each(|row| row.label = Some("All others".to_owned()));
    }
    let sum = |sum: Micros, row: &CostRow| sum.plus(row.cost);
    Ok(Costs {
        span: (from, to),
        total: rows.iter().fold(Micros::ZERO, sum),
        rows,
    })
}

/// How the days of a span went, oldest first; days on which nothing ended are left out.
pub async fn outcomes(context: &Context, span: Span) -> Result<Vec<DayReport>, Error> {
    context.authorise(Area::Costs, Right::Read)?;
    let span = fill(context, span)?;
    let tx = context.read().await?;
    let hidden = context.hidden(&tx).await?;
    let reports = tx.reports();
    let jobs = reports.outcomes(context.tenant, &hidden, span).await?;
    let replies = reports.replies(context.tenant, &hidden, span).await?;
    let mut days: BTreeMap<String, (DayOutcome, Vec<i64>)> = jobs
        .into_iter()
        .map(|outcome| (outcome.day.clone(), (outcome, Vec::new())))
        .collect();
    for (came, answered) in replies {
        let day = answered.format("%Y-%m-%d").to_string();
        let fresh = || DayOutcome {
            day: day.clone(),
            ..DayOutcome::default()
        };
        let (_, seconds) = days
            .entry(day.clone())
            .or_insert_with(|| (fresh(), Vec::new()));
        seconds.push((answered - came).num_seconds());
    }
    Ok(days.into_values().map(report).collect())
}

fn report((jobs, mut seconds): (DayOutcome, Vec<i64>)) -> DayReport {
    seconds.sort_unstable();
    DayReport {
        jobs,
        reply_p50: nearest_rank(&seconds, 50),
        reply_p95: nearest_rank(&seconds, 95),
    }
}

/// The smallest value that so many percent of the sorted values do not exceed.
fn nearest_rank(sorted: &[i64], percent: usize) -> Option<i64> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied()
}

fn fill(context: &Context, span: Span) -> Result<(Timestamp, Timestamp), Error> {
    let now = context.now();
    let to = span.to.unwrap_or(now + TimeDelta::days(1));
    let from = span
        .from
        .unwrap_or_else(|| day_start(now) - TimeDelta::days(DAYS - 1));
    if to <= from {
        return Err(Error::invalid("to", "must be later than `from`"));
    }
    if to - from > LONGEST {
        let message = format!("at most {} days after `from`", LONGEST.num_days());
        return Err(Error::invalid("to", message));
    }
    Ok((from, to))
}

#[cfg(test)]
mod tests {
    use super::nearest_rank;

    #[test]
    fn half_and_nearly_all_of_some_values() {
        let hundred: Vec<i64> = (1..=100).collect();
        assert_eq!(nearest_rank(&hundred, 50), Some(50));
        assert_eq!(nearest_rank(&hundred, 95), Some(95));
        assert_eq!(nearest_rank(&[7], 95), Some(7));
        assert_eq!(nearest_rank(&[1, 2, 3], 50), Some(2));
        assert_eq!(nearest_rank(&[], 50), None);
    }
}
