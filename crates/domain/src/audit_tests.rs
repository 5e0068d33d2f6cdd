//! Whatever is done to the rows of a chain behind its back is found, at the first row it touches.

use crate::{
    Timestamp,
    audit::{AuditActor, AuditActorKind, AuditEntry, Break, Link, Subject, Unreadable},
    id::TenantId,
};
use proptest::prelude::*;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use uuid::Uuid;

type Rows = Vec<Result<AuditEntry, Unreadable>>;

/// Stands for a hash that nobody finds a second text for.
fn digest(content: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    content.hash(&mut hasher);
    format!("{:064x}", hasher.finish())
}

fn hashed(mut entry: AuditEntry) -> AuditEntry {
    entry.hash = digest(&entry.content());
    entry
}

fn chain(length: i64) -> (Link, Rows) {
    let mut end = Link::default();
    let mut rows = Vec::new();
    for seq in 1..=length {
        let entry = hashed(AuditEntry {
            tenant_id: TenantId::from_uuid(Uuid::nil()),
            seq,
            at: Timestamp::default(),
            actor: AuditActor {
                kind: AuditActorKind::User,
                id: Some(Uuid::from_u128(7)),
                name: Some("Ada".to_owned()),
            },
            action: "agent.updated".to_owned(),
            subject: Subject {
                kind: "agent".to_owned(),
                id: Some(Uuid::from_u128(9)),
                name: None,
            },
            before: Some(r#"{"enabled":true}"#.to_owned()),
            after: None,
            address: None,
            request_id: None,
            previous: end.hash.clone(),
            hash: String::new(),
        });
        end.follow(&entry, &entry.hash).unwrap();
        rows.push(Ok(entry));
    }
    (end, rows)
}

/// The walk as it is done from page to page.
fn prove(head: &Link, rows: &Rows) -> Result<(), Break> {
    let mut end = Link::default();
    let within = |row: &&Result<AuditEntry, Unreadable>| {
        row.as_ref().map_or(true, |entry| entry.seq <= head.seq)
    };
    for row in rows.iter().take_while(within) {
        end.pass(row, digest)?;
    }
    let beyond = rows.iter().find(|row| !within(row));
    end.finish(head, beyond)
}

/// Changes one thing of an entry.
fn change(entry: &mut AuditEntry, field: usize) {
    let other = || "other".to_owned();
    match field {
        0 => entry.tenant_id = TenantId::from_uuid(Uuid::from_u128(1)),
        1 => entry.at += chrono::TimeDelta::microseconds(1),
        2 => entry.actor.kind = AuditActorKind::System,
        3 => entry.actor.id = None,
        4 => entry.actor.name = Some(other()),
        5 => entry.action = other(),
        6 => entry.subject.kind = other(),
        7 => entry.subject.id = None,
        8 => entry.subject.name = Some(other()),
        9 => entry.before = None,
        10 => entry.after = Some("null".to_owned()),
        11 => entry.address = Some([127, 0, 0, 1].into()),
        12 => entry.request_id = Some(String::new()),
        13 => entry.previous = other(),
        _ => entry.hash = other(),
    }
}
const FIELDS: usize = 15;

fn row() -> impl Strategy<Value = (i64, usize)> {
    (1_i64..12).prop_flat_map(|length| {
        let last = usize::try_from(length).unwrap();
        (Just(length), 0..last)
    })
}

proptest! {
    #[test]
    fn what_nobody_touched_holds(length in 0_i64..12) {
        let (head, rows) = chain(length);
        prop_assert_eq!(prove(&head, &rows), Ok(()));
    }

    #[test]
    fn an_edit_is_found_even_when_its_own_hash_is_made_to_fit(
        (length, at) in row(), field in 0..FIELDS, fitting in any::<bool>(),
    ) {
        let (head, mut rows) = chain(length);
        let entry = rows[at].as_mut().unwrap();
        change(entry, field);
        if fitting {
            *entry = hashed(entry.clone());
        }
        let was_undone = fitting && field == FIELDS - 1;
        let found = prove(&head, &rows);
        prop_assert_eq!(found.is_ok(), was_undone);
        if let Err(found) = found {
            let seq = i64::try_from(at).unwrap() + 1;
            prop_assert!((seq..=seq + 1).contains(&found.seq()), "{}", found);
        }
    }

    #[test]
    fn what_cannot_be_read_is_named((length, at) in row()) {
        let (head, mut rows) = chain(length);
        rows[at] = Err(Unreadable);
        let seq = i64::try_from(at).unwrap() + 1;
        prop_assert_eq!(prove(&head, &rows), Err(Break::Unreadable { seq }));
    }

    #[test]
    fn a_missing_row_is_named((length, at) in row()) {
        let (head, mut rows) = chain(length);
        rows.remove(at).unwrap();
        let found = prove(&head, &rows).unwrap_err();
        prop_assert_eq!(found.seq(), i64::try_from(at).unwrap() + 1);
    }

    #[test]
    fn rows_that_changed_places_are_found(
        (length, one) in row(), other in 0_usize..12, renumbered in any::<bool>(),
    ) {
        let (head, mut rows) = chain(length);
        let other = other % rows.len();
        prop_assume!(one != other);
        rows.swap(one, other);
        if renumbered {
            for (seq, row) in (1..).zip(&mut rows) {
                row.as_mut().unwrap().seq = seq;
            }
        }
        let first = i64::try_from(one.min(other)).unwrap() + 1;
        prop_assert_eq!(prove(&head, &rows).unwrap_err().seq(), first);
    }

    #[test]
    fn a_row_that_was_put_in_is_found((length, at) in row(), seq in -2_i64..14, copied in any::<bool>()) {
        let (head, mut rows) = chain(length);
        let mut entry = rows[at].clone().unwrap();
        entry.seq = seq;
        if !copied {
            entry.action = "agent.created".to_owned();
        }
        let entry = hashed(entry);
        let place = rows.partition_point(|row| row.as_ref().unwrap().seq < seq);
        rows.insert(place, Ok(entry));
        prop_assert!(prove(&head, &rows).is_err());
    }
}
