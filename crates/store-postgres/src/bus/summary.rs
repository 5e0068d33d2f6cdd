//! What is carried: that something of a kind happened, and to whom. Rows say the rest.

use domain::id::TenantId;
use ports::live::{Committed, Heard, News};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use uuid::Uuid;

/// Ids that one notification has room for: it may have 8,000 bytes, and an id takes 39.
const IDS: usize = 180;

/// Everything there is to tell since the last time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Summary {
    /// Without the events: rows are not carried.
    told: Committed,
    /// Whose events they were.
    moved: BTreeSet<TenantId>,
    /// Whose rows nothing else tells of.
    #[serde(default)]
    untold: BTreeSet<TenantId>,
    /// There was more than fits.
    gap: bool,
}

/// The payload of a notification.
#[derive(Serialize, Deserialize)]
struct Payload<S> {
    from: Uuid,
    summary: S,
}

impl Summary {
    /// Adds news. Open text is not carried: the row that ends it holds the whole.
    pub(super) fn add(&mut self, news: &News) {
        self.merge(match news {
            News::Delta(_) => return,
            News::Moved(tenant) => Self {
                untold: BTreeSet::from([*tenant]),
                ..Self::default()
            },
            News::Committed(committed) => Self {
                told: Committed {
                    events: Vec::new(),
                    lanes_ready: committed.lanes_ready,
                    effects_ready: committed.effects_ready,
                    cancelled: committed.cancelled.clone(),
                    integrations_changed: committed.integrations_changed,
                    work: committed.work.clone(),
                },
                moved: committed.events.iter().map(|e| e.tenant_id).collect(),
                ..Self::default()
            },
        });
    }

    /// Adds what could not be told before.
    pub(super) fn merge(&mut self, other: Self) {
        let (told, more) = (&mut self.told, other.told);
        told.lanes_ready |= more.lanes_ready;
        told.effects_ready |= more.effects_ready;
        told.integrations_changed |= more.integrations_changed;
        told.work.extend(more.work);
        told.cancelled.extend(more.cancelled);
        told.cancelled.sort_unstable();
        told.cancelled.dedup();
        self.moved.extend(other.moved);
        self.untold.extend(other.untold);
        let ids = self.told.cancelled.len() + self.told.work.len();
        let ids = ids + self.moved.len() + self.untold.len();
        self.gap |= other.gap || ids > IDS;
        if self.gap {
            self.told.cancelled.clear();
            self.told.work.clear();
            self.moved.clear();
            self.untold.clear();
        }
    }

    /// Whether there is nothing to tell.
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// As the payload of a notification.
    pub(super) fn encode(&self, from: Uuid) -> Result<String, serde_json::Error> {
        let summary = self;
        serde_json::to_string(&Payload { from, summary })
    }

    /// What another process told, as listeners hear it; nothing of what `own` told itself.
    pub(super) fn decode(payload: &str, own: Uuid) -> Vec<Heard> {
        // What another build tells may not be understood.
        let Ok(Payload { from, summary }) = serde_json::from_str::<Payload<Self>>(payload) else {
            return vec![Heard::Gap];
        };
        if from == own {
            return Vec::new();
        }
        if summary.gap {
            return vec![Heard::Gap];
        }
        let mut heard: Vec<_> = summary.moved.into_iter().map(Heard::Moved).collect();
        let untold = summary.untold.into_iter();
        heard.extend(untold.map(|tenant| Heard::News(News::Moved(tenant))));
        if !summary.told.is_silent() {
            heard.push(Heard::News(News::Committed(summary.told)));
        }
        heard
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::id::JobId;

    const OWN: Uuid = Uuid::from_u128(1);
    const OTHER: Uuid = Uuid::from_u128(2);

    fn cancelled(jobs: std::ops::Range<usize>) -> News {
        News::Committed(Committed {
            cancelled: jobs
                .map(|job| JobId::from_uuid(Uuid::from_u128(job as u128)))
                .collect(),
            lanes_ready: true,
            ..Committed::default()
        })
    }

    #[test]
    fn as_much_as_fits_is_carried_and_more_is_a_gap() {
        let mut summary = Summary::default();
        let all = cancelled(0..IDS);
        summary.add(&cancelled(0..IDS / 2));
        summary.add(&cancelled(IDS / 3..IDS));
        let payload = summary.encode(OTHER).unwrap();
        assert!(payload.len() <= 7_500, "{}", payload.len());
        assert_eq!(Summary::decode(&payload, OWN), vec![Heard::News(all)]);
        summary.add(&cancelled(IDS..IDS + 1));
        let payload = summary.encode(OTHER).unwrap();
        assert_eq!(Summary::decode(&payload, OWN), vec![Heard::Gap]);
    }

    #[test]
    fn rows_that_nothing_else_tells_of_are_told_apart_and_count_as_ids() {
        let tenant = |n: usize| TenantId::from_uuid(Uuid::from_u128(n as u128));
        let mut summary = Summary::default();
        summary.add(&News::Moved(tenant(1)));
        summary.add(&News::Moved(tenant(1)));
        let heard = Summary::decode(&summary.encode(OTHER).unwrap(), OWN);
        assert_eq!(heard, vec![Heard::News(News::Moved(tenant(1)))]);
        for n in 0..IDS {
            summary.add(&News::Moved(tenant(n)));
        }
        let payload = summary.encode(OTHER).unwrap();
        assert!(payload.len() <= 7_500, "{}", payload.len());
        assert_eq!(Summary::decode(&payload, OWN).len(), IDS);
        summary.add(&News::Moved(tenant(IDS)));
        let payload = summary.encode(OTHER).unwrap();
        assert_eq!(Summary::decode(&payload, OWN), vec![Heard::Gap]);
    }

    #[test]
    fn ones_own_payload_is_silence_and_an_unknown_one_a_gap() {
        let mut summary = Summary::default();
        summary.add(&cancelled(0..3));
        let payload = summary.encode(OWN).unwrap();
        assert_eq!(Summary::decode(&payload, OWN), vec![]);
        assert_eq!(Summary::decode("{}", OWN), vec![Heard::Gap]);
        let nothing = Summary::default().encode(OTHER).unwrap();
        assert_eq!(Summary::decode(&nothing, OWN), vec![]);
    }
}
