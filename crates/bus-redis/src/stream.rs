//! What lies in the stream and the commands that put it there and read it. An entry has two fields: who wrote
//! it, and news, a gap or a mark. Nothing else knows the layout.

use ports::live::{Committed, Delta, Heard, News};
use redis::{Cmd, Pipeline};
use std::{collections::HashMap, time::Duration};
use uuid::Uuid;

/// How long a read waits for entries. Short, because a hung server shows only when that time is over.
pub(crate) const WAIT: Duration = Duration::from_millis(WAIT_MS);
const WAIT_MS: u64 = 1_000;
/// Entries of one read, at most: few enough that even the largest arrive within the time of an answer.
const READ: usize = 64;
/// The most bytes of one entry.
const LARGEST: usize = 32 * 1_024;

const ORIGIN: &str = "origin";
const NEWS: &str = "news";
const GAP: &str = "gap";
const MARK: &str = "mark";

/// The fields of an entry. Bytes, because others may write to the key, too, and must not stop the reader.
pub(crate) type Fields = HashMap<Vec<u8>, Vec<u8>>;

/// The answer to [`Stream::read`]: entries by stream, and whether the entry before them is still there.
pub(crate) type Read = (
    Option<Vec<(String, Vec<(String, Fields)>)>>,
    Vec<redis::Value>,
);

/// What one process writes.
#[derive(Debug, PartialEq)]
pub(crate) enum Entry {
    /// News, as JSON.
    News(String),
    /// The process could not tell everything.
    Gap,
    /// Nothing: its id is where the process begins to read.
    Mark,
}

/// The stream of a deployment, as one process uses it.
pub(crate) struct Stream {
    key: String,
    origin: String,
    max_length: usize,
}

impl Entry {
    /// News that are too large come in parts. An event that is too large by itself is left out, and readers
    /// are told of a gap.
    pub(crate) fn of(news: News) -> Vec<Self> {
        if let Some(text) = json(&news) {
            return vec![Self::News(text)];
        }
        let (first, second) = match news {
            News::Committed(committed) if committed.events.len() > 1 => halves(committed),
            News::Delta(delta) if delta.text.chars().nth(1).is_some() => parts(delta),
            News::Committed(committed) => {
                let light = json(&News::Committed(Committed {
                    events: Vec::new(),
                    ..committed
                }));
                return light
                    .map(Self::News)
                    .into_iter()
                    .chain([Self::Gap])
                    .collect();
            }
            News::Delta(_) | News::Moved(_) => return vec![Self::Gap],
        };
        let mut entries = Self::of(first);
        entries.extend(Self::of(second));
        entries
    }

    /// About how many bytes it takes.
    pub(crate) fn size(&self) -> usize {
        self.field().1.len()
    }

    fn field(&self) -> (&'static str, &str) {
        match self {
            Self::News(text) => (NEWS, text),
            Self::Gap => (GAP, ""),
            Self::Mark => (MARK, ""),
        }
    }
}

impl Stream {
    pub(crate) fn new(prefix: &str, origin: Uuid, max_length: usize) -> Self {
        Self {
            key: format!("{prefix}:news"),
            origin: origin.simple().to_string(),
            max_length,
        }
    }

    /// Adds an entry; the answer is its id.
    pub(crate) fn add(&self, entry: &Entry) -> Cmd {
        let mut command = redis::cmd("XADD");
        // About, because Redis then drops whole nodes, which costs next to nothing.
        command.arg(&self.key).arg("MAXLEN").arg("~");
        command.arg(self.max_length).arg("*");
        command.arg(ORIGIN).arg(&self.origin).arg(entry.field());
        command
    }

    /// Reads what follows an entry, and whether that entry is still there. Entries go oldest first, so while
    /// it is there, nothing that followed it is missing. Asked in this order: what goes missing after the
    /// read is noticed as well, the other way round it could go missing in between.
    pub(crate) fn read(&self, after: &str, wait: bool) -> Pipeline {
        let mut pipeline = redis::pipe();
        pipeline.cmd("XREAD").arg("COUNT").arg(READ);
        if wait {
            pipeline.arg("BLOCK").arg(WAIT_MS);
        }
        pipeline.arg("STREAMS").arg(&self.key).arg(after);
        pipeline.cmd("XRANGE").arg(&self.key).arg(after).arg(after);
        pipeline
    }

    /// What an entry means to this process.
    pub(crate) fn hear(&self, fields: &Fields) -> Option<Heard> {
        let field = |name: &str| fields.get(name.as_bytes());
        if field(ORIGIN).is_some_and(|origin| *origin == self.origin.as_bytes())
            || field(MARK).is_some()
        {
            return None;
        }
        // A process of another version may tell what this one cannot read; it is in the rows all the same.
        let news = field(NEWS).and_then(|text| serde_json::from_slice(text).ok());
        Some(news.map_or(Heard::Gap, Heard::News))
    }
}

/// Half of the events, and the rest with everything else.
fn halves(mut committed: Committed) -> (News, News) {
    let rest = committed.events.split_off(committed.events.len() / 2);
    let first = Committed {
        events: std::mem::replace(&mut committed.events, rest),
        ..Committed::default()
    };
    (News::Committed(first), News::Committed(committed))
}

/// The text, which has at least two characters, in two parts.
fn parts(mut delta: Delta) -> (News, News) {
    let middle = delta.text.len() / 2;
    let middle = match delta.text.floor_char_boundary(middle) {
        0 => delta.text.ceil_char_boundary(middle),
        before => before,
    };
    let second = Delta {
        text: delta.text.split_off(middle),
        offset: delta.offset + middle,
        target: delta.target.clone(),
        ..delta
    };
    (News::Delta(delta), News::Delta(second))
}

/// The news as text, unless they are too large. Text they always have: every key is a string.
fn json(news: &News) -> Option<String> {
    let text = serde_json::to_string(news).ok()?;
    (text.len() <= LARGEST).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{
        Timestamp,
        event::{EventKind, JobEvent},
        id::{JobId, TenantId},
    };
    use ports::live::DeltaTarget;
    use serde_json::json;

    const TENANT: TenantId = TenantId::from_uuid(Uuid::from_u128(1));
    const JOB: JobId = JobId::from_uuid(Uuid::from_u128(2));

    fn committed(text: &str) -> Committed {
        Committed {
            events: vec![JobEvent {
                tenant_id: TENANT,
                job_id: JOB,
                seq: 1,
                feed_seq: 1,
                kind: EventKind::Message,
                payload: json!({ "text": text }),
                created_at: Timestamp::UNIX_EPOCH,
            }],
            effects_ready: true,
            cancelled: vec![JOB],
            ..Committed::default()
        }
    }

    fn delta(text: String) -> News {
        News::Delta(Delta {
            tenant_id: TENANT,
            job_id: JOB,
            target: DeltaTarget::ToolOutput("call".to_owned()),
            offset: 7,
            text,
        })
    }

    fn stream(origin: u128) -> Stream {
        Stream::new("test", Uuid::from_u128(origin), 10)
    }

    /// What process 2 hears of what process `from` writes.
    fn heard(from: u128, entry: &Entry) -> Option<Heard> {
        let arguments: Vec<Vec<u8>> = stream(from)
            .add(entry)
            .args_iter()
            .filter_map(|argument| match argument {
                redis::Arg::Simple(bytes) => Some(bytes.to_vec()),
                _ => None,
            })
            .collect();
        let fields = arguments[6..].chunks(2);
        let fields = fields.map(|pair| (pair[0].clone(), pair[1].clone()));
        stream(2).hear(&fields.collect())
    }

    #[test]
    fn what_one_process_writes_another_hears_and_it_itself_does_not() {
        for news in [
            News::Committed(committed("Hé\u{0}\n")),
            delta("out\u{1b}[0m".to_owned()),
        ] {
            let entries = Entry::of(news.clone());
            assert_eq!(entries.len(), 1);
            assert_eq!(heard(1, &entries[0]), Some(Heard::News(news)));
            assert_eq!(heard(2, &entries[0]), None);
        }
        assert_eq!(heard(1, &Entry::Gap), Some(Heard::Gap));
        assert_eq!(heard(2, &Entry::Gap), None);
        assert_eq!(heard(1, &Entry::Mark), None);
    }

    #[test]
    fn too_large_a_commit_keeps_its_wake_ups_and_its_readers_hear_of_a_gap() {
        let whole = committed(&"x".repeat(LARGEST));
        let entries = Entry::of(News::Committed(whole.clone()));
        let light = News::Committed(Committed {
            events: Vec::new(),
            ..whole
        });
        let told: Vec<_> = entries.iter().filter_map(|entry| heard(1, entry)).collect();
        assert_eq!(told, [Heard::News(light), Heard::Gap]);
    }

    #[test]
    fn too_long_a_text_comes_in_parts_that_are_the_whole() {
        let text: String = "é\u{0}\n".chars().cycle().take(3 * LARGEST).collect();
        let mut whole = String::new();
        for entry in Entry::of(delta(text.clone())) {
            assert!(entry.size() <= LARGEST);
            let Some(Heard::News(News::Delta(part))) = heard(1, &entry) else {
                panic!("{entry:?}")
            };
            assert_eq!(part.offset, 7 + whole.len());
            whole.push_str(&part.text);
        }
        assert_eq!(whole, text);
    }

    #[test]
    fn too_large_a_commit_comes_in_parts_with_its_wake_ups_once() {
        let mut whole = committed(&"x".repeat(LARGEST / 3));
        let event = whole.events.remove(0);
        let numbered = |seq| JobEvent {
            seq,
            ..event.clone()
        };
        whole.events = (1..=8).map(numbered).collect();
        let mut sum = Committed::default();
        for entry in Entry::of(News::Committed(whole.clone())) {
            assert!(entry.size() <= LARGEST);
            let Some(Heard::News(News::Committed(part))) = heard(1, &entry) else {
                panic!("{entry:?}")
            };
            assert!(!sum.effects_ready, "said twice");
            sum.events.extend(part.events);
            sum.effects_ready = part.effects_ready;
            sum.cancelled.extend(part.cancelled);
        }
        assert_eq!(sum, whole);
    }

    #[test]
    fn what_cannot_be_read_is_a_gap() {
        for entry in [
            Entry::News("{\"novelty\":1}".to_owned()),
            Entry::News("not json".to_owned()),
        ] {
            assert_eq!(heard(1, &entry), Some(Heard::Gap));
        }
        let foreign = Fields::from([(vec![0xff], vec![0xff])]);
        assert_eq!(stream(2).hear(&foreign), Some(Heard::Gap));
    }
}
