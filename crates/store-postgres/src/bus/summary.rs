//! What is carried: that something of a kind happened, and to whom. Rows say the rest.

use domain::id::{JobId, TenantId};
use ports::live::{Committed, Heard, News};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use uuid::Uuid;

/// Ids that one notification has room for: it may have 8,000 bytes, and an id takes 39.
const IDS: usize = 180;

/// Everything there is to tell since the last time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Summary {
    #[serde(skip_serializing_if = "is_false")]
    lanes: bool,
    #[serde(skip_serializing_if = "is_false")]
    effects: bool,
    #[serde(skip_serializing_if = "is_false")]
    integrations: bool,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    cancelled: BTreeSet<JobId>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    moved: BTreeSet<TenantId>,
    /// There was more than fits.
    #[serde(skip_serializing_if = "is_false")]
    gap: bool,
}

/// The payload of a notification.
#[derive(Serialize, Deserialize)]
struct Payload<S> {
    from: Uuid,
    #[serde(flatten)]
    summary: S,
}

impl Summary {
    /// Adds news. Open text is not carried: the row that ends it holds the whole.
    pub(super) fn add(&mut self, news: &News) {
        let News::Committed(committed) = news else {
            return;
        };
        self.merge(Self {
            lanes: committed.lanes_ready,
            effects: committed.effects_ready,
            integrations: committed.integrations_changed,
            cancelled: committed.cancelled.iter().copied().collect(),
            moved: committed.events.iter().map(|e| e.tenant_id).collect(),
            gap: false,
        });
    }

    /// Adds what could not be told before.
    pub(super) fn merge(&mut self, other: Self) {
        self.lanes |= other.lanes;
        self.effects |= other.effects;
        self.integrations |= other.integrations;
        self.cancelled.extend(other.cancelled);
        self.moved.extend(other.moved);
        self.gap |= other.gap || self.cancelled.len() + self.moved.len() > IDS;
        if self.gap {
            self.cancelled.clear();
            self.moved.clear();
        }
    }

    /// As the payload of a notification.
    pub(super) fn encode(&self, from: Uuid) -> Result<String, serde_json::Error> {
        let summary = self;
        serde_json::to_string(&Payload { from, summary })
    }

    /// What another process told, as listeners hear it; nothing of what `own` told itself.
    pub(super) fn decode(payload: &str, own: Uuid) -> Vec<Heard> {
        // What a newer build tells may not be understood.
        let Ok(Payload { from, summary }) = serde_json::from_str::<Payload<Self>>(payload) else {
            return vec![Heard::Gap];
        };
        if from == own {
            return Vec::new();
        }
        summary.heard()
    }

    fn heard(self) -> Vec<Heard> {
        if self.gap {
            return vec![Heard::Gap];
        }
        let committed = Committed {
            events: Vec::new(),
            lanes_ready: self.lanes,
            effects_ready: self.effects,
            cancelled: self.cancelled.into_iter().collect(),
            integrations_changed: self.integrations,
        };
        let mut heard: Vec<_> = self.moved.into_iter().map(Heard::Moved).collect();
        if !committed.is_silent() {
            heard.push(Heard::News(News::Committed(committed)));
        }
        heard
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the shape serde asks for"
)]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

#[cfg(test)]
mod tests {
    use super::*;

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
        summary.effects = true;
        summary.integrations = true;
        let payload = summary.encode(OTHER).unwrap();
        assert!(payload.len() <= 7_500, "{}", payload.len());
        let heard = Summary::decode(&payload, OWN);
        let [Heard::News(News::Committed(told))] = heard.as_slice() else {
            panic!("{heard:?}")
        };
        assert_eq!(
            News::Committed(Committed {
                effects_ready: false,
                integrations_changed: false,
                ..told.clone()
            }),
            all
        );
        summary.add(&cancelled(IDS..IDS + 1));
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
