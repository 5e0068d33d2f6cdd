//! What was spent and what came of it, over a span of time.

use crate::{Context, Error};
use chrono::TimeDelta;
use domain::{
    Timestamp,
    access::{Area, Right},
    budget::{Micros, day_start},
};
use ports::store::{CostFilter, CostGroup, CostRow, DayOutcome, DayWait};
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
    /// How long people waited for their answers; absent where nobody had one.
    pub wait: Option<DayWait>,
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
    let waits = reports.waits(context.tenant, &hidden, span).await?;
    let quiet = |day: &str| DayReport {
        jobs: DayOutcome {
            day: day.to_owned(),
            ..DayOutcome::default()
        },
        wait: None,
    };
    let mut days: BTreeMap<String, DayReport> = jobs
        .into_iter()
        .map(|jobs| (jobs.day.clone(), DayReport { jobs, wait: None }))
        .collect();
    for wait in waits {
        let day = days.entry(wait.day.clone());
        day.or_insert_with_key(|day| quiet(day)).wait = Some(wait);
    }
    Ok(days.into_values().collect())
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
