//! Pieces of a sentence: what follows a word, what stands in quotes, what can be a path. Knows no request.

/// What follows `word` (any case) at the start of the text, without leading space.
pub(super) fn after_word<'t>(text: &'t str, word: &str) -> Option<&'t str> {
    let head = text.get(..word.len())?;
    let rest = text.get(word.len()..)?;
    let ends = rest
        .chars()
        .next()
        .is_none_or(|c| !c.is_alphanumeric() && c != '_');
    (head.eq_ignore_ascii_case(word) && ends).then(|| rest.trim_start())
}

/// What follows the first of the words that the text starts with.
pub(super) fn after_any<'t>(text: &'t str, words: &[&str]) -> Option<&'t str> {
    words.iter().find_map(|word| after_word(text, word))
}

/// What stands between backticks, fenced or inline.
pub(super) fn code(text: &str) -> Option<&str> {
    if let Some((_, fenced)) = text.split_once("```") {
        let (body, _) = fenced.split_once("```")?;
        // The first line of a fence names the language.
        return Some(body.split_once('\n').map_or(body, |(_, lines)| lines));
    }
    let (_, rest) = text.split_once('`')?;
    Some(rest.split_once('`')?.0)
}

/// The text as a path, when it is a single word.
pub(super) fn path(text: &str) -> Option<String> {
    let path = unquote(text.trim().trim_end_matches(['?', '!']));
    let path = path.trim_end_matches('.');
    let path = if path.is_empty() { text.trim() } else { path };
    let one_word = !path.is_empty() && !path.contains(char::is_whitespace);
    one_word.then(|| path.to_owned())
}

/// The text without the quotes around it.
pub(super) fn unquote(text: &str) -> &str {
    let text = text.trim();
    ['"', '`', '\'']
        .iter()
        .find_map(|q| text.strip_prefix(*q)?.strip_suffix(*q))
        .unwrap_or(text)
}
