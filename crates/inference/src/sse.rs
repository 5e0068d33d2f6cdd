//! Server-sent events, decoded byte by byte as they arrive.
//!
//! A pure function of the bytes: how a network cuts them into chunks never changes the events. It
//! knows nothing of JSON or of what the events mean.

/// The most one event may hold; a provider that sends more is broken or hostile.
pub const MAX_EVENT_BYTES: usize = 8 * 1024 * 1024;

/// One event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// The `event:` field; empty when there was none.
    pub name: String,
    /// The `data:` lines, joined by newlines.
    pub data: String,
}

/// An event that grew beyond [`MAX_EVENT_BYTES`].
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("an event is larger than {MAX_EVENT_BYTES} bytes")]
pub struct TooLarge;

/// Collects bytes until they make an event.
#[derive(Debug, Default)]
pub struct Decoder {
    line: Vec<u8>,
    event: Event,
    has_data: bool,
    /// The last byte was a carriage return: a line feed that follows belongs to it.
    after_cr: bool,
    past_first_line: bool,
}

impl Decoder {
    /// Takes the next bytes and appends the events they complete.
    pub fn push(&mut self, chunk: &[u8], events: &mut Vec<Event>) -> Result<(), TooLarge> {
        let mut rest = chunk;
        while let Some(first) = rest.first() {
            if std::mem::take(&mut self.after_cr) && *first == b'\n' {
                rest = rest.get(1..).unwrap_or_default();
                continue;
            }
            let end = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            let (head, tail) = rest.split_at(end.unwrap_or(rest.len()));
            if self.line.len() + self.event.data.len() + head.len() > MAX_EVENT_BYTES {
                return Err(TooLarge);
            }
            self.line.extend_from_slice(head);
            if end.is_some() {
                self.after_cr = tail.first() == Some(&b'\r');
                self.end_line(events);
            }
            rest = tail.get(1..).unwrap_or_default();
        }
        Ok(())
    }

    /// Whether no byte that matters has been taken yet.
    pub(crate) fn is_fresh(&self) -> bool {
        !self.past_first_line && self.line.is_empty()
    }

    /// Ends the stream. Some servers forget the blank line after the last event, so what is
    /// complete but for that counts.
    pub fn finish(&mut self, events: &mut Vec<Event>) {
        if !self.line.is_empty() {
            self.end_line(events);
        }
        self.dispatch(events);
    }

    fn end_line(&mut self, events: &mut Vec<Event>) {
        let bytes = std::mem::take(&mut self.line);
        let text = String::from_utf8_lossy(&bytes);
        let mut line = text.as_ref();
        if !std::mem::replace(&mut self.past_first_line, true) {
            line = line.strip_prefix('\u{feff}').unwrap_or(line);
        }
        if line.is_empty() {
            self.dispatch(events);
            return;
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "data" => {
                if std::mem::replace(&mut self.has_data, true) {
                    self.event.data.push('\n');
                }
                self.event.data.push_str(value);
            }
            "event" => value.clone_into(&mut self.event.name),
            _ => {}
        }
    }

    fn dispatch(&mut self, events: &mut Vec<Event>) {
        let event = std::mem::take(&mut self.event);
        if std::mem::take(&mut self.has_data) {
            events.push(event);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(text: &[u8]) -> Vec<Event> {
        let mut decoder = Decoder::default();
        let mut events = Vec::new();
        decoder.push(text, &mut events).unwrap();
        decoder.finish(&mut events);
        events
    }

    fn event(name: &str, data: &str) -> Event {
        Event {
            name: name.to_owned(),
            data: data.to_owned(),
        }
    }

    #[test]
    fn every_line_ending_comments_and_several_data_lines_are_understood() {
        let text = "\u{feff}: hello\r\nevent: a\r\ndata: one\rdata:two\n\n: ping\n\nid: 7\ndata\n\ndata:  x";
        assert_eq!(
            decode(text.as_bytes()),
            [event("a", "one\ntwo"), event("", ""), event("", " x")]
        );
    }

    #[test]
    fn an_event_name_without_data_is_dropped() {
        assert_eq!(decode(b"event: ping\n\ndata: 1\n\n"), [event("", "1")]);
    }

    #[test]
    fn endless_lines_are_refused() {
        let mut decoder = Decoder::default();
        let mut events = Vec::new();
        let chunk = vec![b'x'; 1024 * 1024];
        let result = (0..9).try_for_each(|_| decoder.push(&chunk, &mut events));
        assert_eq!(result, Err(TooLarge));
    }
}
