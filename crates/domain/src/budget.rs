//! Money: amounts, limits, and the rule that a call is paid for before it starts.

use crate::{
    Timestamp,
    id::{AgentId, BudgetId, JobId, TenantId},
    text::words,
};
use serde::{Deserialize, Serialize};

/// An amount in millionths of a US dollar. Integers only: sums of receipts must be exact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Micros(pub i64);

impl Micros {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// The sum; saturates rather than wrapping.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl std::fmt::Display for Micros {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let whole = self.0.unsigned_abs();
        write!(f, "{sign}${}.{:06}", whole / 1_000_000, whole % 1_000_000)
    }
}

/// How much may be spent. Unlimited is a decision somebody made, never a default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// No limit, on purpose.
    Unlimited,
    /// At most this much in the period.
    Of(Micros),
}

impl Limit {
    /// Whether `spent + reserved + more` still fits.
    pub fn allows(self, committed: Micros, more: Micros) -> bool {
        match self {
            Self::Unlimited => true,
            Self::Of(limit) => committed.plus(more) <= limit,
        }
    }
}

words!(
    /// Over what time a limit counts.
    Period {
        /// A UTC calendar day.
        Day = "day",
        /// For good; used for single jobs.
        Total = "total",
    }
);

/// Whose spending a budget limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BudgetScope {
    /// Everybody together.
    Tenant,
    /// One agent.
    Agent(AgentId),
    /// One job.
    Job(JobId),
}

impl BudgetScope {
    /// The word stored for the scope.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tenant => "tenant",
            Self::Agent(_) => "agent",
            Self::Job(_) => "job",
        }
    }
}

/// A limit with what was spent and reserved against it in the current period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Its id.
    pub id: BudgetId,
    /// The tenant it belongs to.
    pub tenant_id: TenantId,
    /// Whose spending it limits.
    pub scope: BudgetScope,
    /// Over what time.
    pub period: Period,
    /// How much.
    pub limit: Limit,
    /// Settled cost in the current period.
    pub spent: Micros,
    /// Worst-case cost of calls under way.
    pub reserved: Micros,
    /// Start of the current period.
    pub period_start: Timestamp,
}

/// The outcome of asking for money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reservation {
    /// The call may start.
    Granted,
    /// It would fit once calls under way have settled: wait, do not fail.
    Busy,
    /// It does not fit.
    Refused {
        /// The scope that is exhausted: `tenant`, `agent` or `job`.
        scope: &'static str,
        /// The limit of that scope.
        limit: Micros,
        /// What is already spent.
        spent: Micros,
    },
}

impl Budget {
    /// Judges a call of worst-case cost `more` against this budget alone.
    pub fn judge(&self, more: Micros) -> Reservation {
        let Limit::Of(limit) = self.limit else {
            return Reservation::Granted;
        };
        if self.limit.allows(self.spent.plus(self.reserved), more) {
            Reservation::Granted
        } else if self.reserved > Micros::ZERO && self.limit.allows(self.spent, more) {
            Reservation::Busy
        } else {
            Reservation::Refused {
                scope: self.scope.as_str(),
                limit,
                spent: self.spent,
            }
        }
    }
}

/// Start of the UTC day that `now` lies in.
pub fn day_start(now: Timestamp) -> Timestamp {
    now.date_naive().and_time(chrono::NaiveTime::MIN).and_utc()
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn budget(limit: Limit, spent: i64, reserved: i64) -> Budget {
        Budget {
            id: BudgetId::from_uuid(Uuid::nil()),
            tenant_id: TenantId::from_uuid(Uuid::nil()),
            scope: BudgetScope::Tenant,
            period: Period::Day,
            limit,
            spent: Micros(spent),
            reserved: Micros(reserved),
            period_start: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn reservations_in_flight_make_a_call_wait_but_spent_money_refuses_it() {
        let limit = Limit::Of(Micros(100));
        assert_eq!(
            budget(limit, 40, 40).judge(Micros(20)),
            Reservation::Granted
        );
        assert_eq!(budget(limit, 40, 40).judge(Micros(21)), Reservation::Busy);
        assert_eq!(
            budget(limit, 90, 5).judge(Micros(11)),
            Reservation::Refused {
                scope: "tenant",
                limit: Micros(100),
                spent: Micros(90)
            }
        );
        assert_eq!(
            budget(Limit::Unlimited, i64::MAX, 0).judge(Micros(1)),
            Reservation::Granted
        );
    }

    #[test]
    fn amounts_read_as_dollars() {
        assert_eq!(Micros(1_234_567).to_string(), "$1.234567");
        assert_eq!(Micros(-5).to_string(), "-$0.000005");
    }
}
