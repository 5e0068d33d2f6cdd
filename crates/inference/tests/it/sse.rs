//! However the network cuts a stream, the events stay the same.

use inference::sse::{Decoder, Event};
use proptest::prelude::*;

fn decode(chunks: &[&[u8]]) -> Vec<Event> {
    let mut decoder = Decoder::default();
    let mut events = Vec::new();
    for chunk in chunks {
        decoder.push(chunk, &mut events).unwrap();
    }
    decoder.finish(&mut events);
    events
}

/// Lines as servers and enemies write them.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        Just(String::new()),
        Just("event: x".to_owned()),
        Just("data".to_owned()),
        "data: ?[ -~äé€😀]{0,12}",
        ":[a-z ]{0,6}",
        "[a-z]{1,5}: [a-z]{0,5}",
    ];
    let end = prop_oneof![Just("\n"), Just("\r"), Just("\r\n")];
    let text = prop::collection::vec((line, end), 0..20).prop_map(|lines| {
        let text = lines.into_iter().map(|(line, end)| line + end);
        text.collect::<String>().into_bytes()
    });
    prop_oneof![4 => text, 1 => prop::collection::vec(any::<u8>(), 0..80)]
}

proptest! {
    #[test]
    fn any_chunking_gives_the_same_events(bytes in stream(), cuts in prop::collection::vec(0..200usize, 0..12)) {
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
        cuts.sort_unstable();
        let mut chunks = Vec::new();
        let mut start = 0;
        for cut in cuts {
            chunks.push(&bytes[start..cut]);
            start = cut;
        }
        chunks.push(&bytes[start..]);
        let whole = decode(&[&bytes]);
        prop_assert_eq!(&decode(&chunks), &whole);
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        prop_assert_eq!(&decode(&single), &whole);
    }
}
