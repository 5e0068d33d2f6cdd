//! Telegram's HTML, parsed as strictly as Telegram does: an unknown, unclosed or crossed tag is an
//! error, never text.

use serde_json::{Map, Value, json};

/// What people see of a text with HTML markup, or Telegram's complaint about the markup.
pub fn visible_text(source: &str) -> Result<String, String> {
    parse(source).map(|parsed| parsed.text)
}

/// Parses; the error is Telegram's description without its prefix.
pub(super) fn parse(source: &str) -> Result<Parsed, String> {
    let mut parser = Parser::default();
    let mut rest = source;
    while let Some(character) = rest.chars().next() {
        let at = source.len() - rest.len();
        rest = match character {
            '<' => parser.tag(rest, at)?,
            '&' => parser.reference(rest),
            other => {
                parser.text.push(other);
                rest.get(other.len_utf8()..).unwrap_or_default()
            }
        };
    }
    match parser.open.last() {
        Some(open) => Err(format!(
            "Can't find end tag corresponding to start tag \"{}\"",
            open.name
        )),
        None => Ok(Parsed {
            text: parser.text,
            entities: parser.entities,
        }),
    }
}

/// What is left once markup is parsed.
#[derive(Debug, PartialEq)]
pub(super) struct Parsed {
    pub(super) text: String,
    pub(super) entities: Vec<Value>,
}

struct Open {
    name: String,
    attributes: Map<String, Value>,
    offset: usize,
}

#[derive(Default)]
struct Parser {
    text: String,
    entities: Vec<Value>,
    open: Vec<Open>,
}

impl Parser {
    /// Takes the tag at the start of `rest` and returns what follows it.
    fn tag<'t>(&mut self, rest: &'t str, at: usize) -> Result<&'t str, String> {
        let end = tag_end(rest).ok_or_else(|| format!("Unclosed start tag at byte offset {at}"))?;
        let (inner, after) = rest.split_at(end);
        let inner = inner.strip_prefix('<').unwrap_or_default();
        let after = after.strip_prefix('>').unwrap_or_default();
        match inner.strip_prefix('/') {
            Some(name) => self.close(name.trim(), at)?,
            None => self.start(inner, at)?,
        }
        Ok(after)
    }

    fn start(&mut self, inner: &str, at: usize) -> Result<(), String> {
        let (name, attributes) = inner.split_once(char::is_whitespace).unwrap_or((inner, ""));
        let name = name.to_ascii_lowercase();
        if name.is_empty() {
            return Err(format!("Empty tag name at byte offset {at}"));
        }
        if entity_type(&name).is_none() {
            return Err(format!(
                "Unsupported start tag \"{name}\" at byte offset {at}"
            ));
        }
        self.open.push(Open {
            attributes: parse_attributes(attributes)
                .ok_or_else(|| format!("Expected a quoted attribute value at byte offset {at}"))?,
            offset: self.text.encode_utf16().count(),
            name,
        });
        Ok(())
    }

    fn close(&mut self, name: &str, at: usize) -> Result<(), String> {
        let Some(open) = self.open.pop() else {
            return Err(format!("Unexpected end tag at byte offset {at}"));
        };
        if !name.is_empty() && !name.eq_ignore_ascii_case(&open.name) {
            return Err(format!(
                "Unmatched end tag at byte offset {at}, expected \"</{}>\", found \"</{name}>\"",
                open.name
            ));
        }
        let length = self.text.encode_utf16().count() - open.offset;
        let in_pre = self.open.last_mut().filter(|outer| outer.name == "pre");
        if let (Some(pre), "code") = (in_pre, open.name.as_str()) {
            pre.attributes.extend(open.attributes);
            return Ok(());
        }
        let Some(kind) = entity_type(&open.name).filter(|_| length > 0) else {
            return Ok(());
        };
        let mut entity = json!({"type": kind, "offset": open.offset, "length": length});
        if let Some(fields) = entity.as_object_mut() {
            if let Some(url) = open.attributes.get("href") {
                fields.insert("url".to_owned(), url.clone());
            }
            let class = open.attributes.get("class").and_then(Value::as_str);
            if let Some(language) = class.and_then(|class| class.strip_prefix("language-")) {
                fields.insert("language".to_owned(), json!(language));
            }
        }
        self.entities.push(entity);
        Ok(())
    }

    /// Takes the `&` at the start of `rest`: a character reference, or just itself.
    fn reference<'t>(&mut self, rest: &'t str) -> &'t str {
        let known = [
            ("&lt;", '<'),
            ("&gt;", '>'),
            ("&amp;", '&'),
            ("&quot;", '"'),
        ];
        for (name, character) in known {
            if let Some(after) = rest.strip_prefix(name) {
                self.text.push(character);
                return after;
            }
        }
        self.text.push('&');
        rest.strip_prefix('&').unwrap_or_default()
    }
}

/// Where the tag's `>` is; one inside quotes does not count.
fn tag_end(rest: &str) -> Option<usize> {
    let mut quoted = false;
    rest.char_indices().find_map(|(at, character)| {
        quoted ^= character == '"';
        (character == '>' && !quoted).then_some(at)
    })
}

fn parse_attributes(mut rest: &str) -> Option<Map<String, Value>> {
    let mut attributes = Map::new();
    loop {
        rest = rest.trim_start();
        if rest.is_empty() {
            return Some(attributes);
        }
        let end = rest
            .find(|c: char| c == '=' || c.is_whitespace())
            .unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        let Some(value) = after.strip_prefix('=') else {
            attributes.insert(name.to_owned(), json!(""));
            rest = after;
            continue;
        };
        let (value, after) = value.strip_prefix('"')?.split_once('"')?;
        let mut plain = Parser::default();
        let mut text = value;
        while let Some(character) = text.chars().next() {
            text = if character == '&' {
                plain.reference(text)
            } else {
                plain.text.push(character);
                text.get(character.len_utf8()..).unwrap_or_default()
            };
        }
        attributes.insert(name.to_owned(), json!(plain.text));
        rest = after;
    }
}

fn entity_type(tag: &str) -> Option<&'static str> {
    Some(match tag {
        "b" | "strong" => "bold",
        "i" | "em" => "italic",
        "u" | "ins" => "underline",
        "s" | "strike" | "del" => "strikethrough",
        "tg-spoiler" | "span" => "spoiler",
        "a" => "text_link",
        "code" => "code",
        "pre" => "pre",
        "blockquote" => "blockquote",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn well_formed_markup_becomes_entities() {
        let parsed = parse(
            "<b>👋 <i>x</i></b> &lt;&amp; <a href=\"https://e.x/?a=1&amp;b=2\">l</a><pre><code class=\"language-rust\">a&lt;b</code></pre>",
        );
        assert_eq!(
            parsed,
            Ok(Parsed {
                text: "👋 x <& la<b".to_owned(),
                entities: vec![
                    json!({"type": "italic", "offset": 3, "length": 1}),
                    json!({"type": "bold", "offset": 0, "length": 4}),
                    json!({"type": "text_link", "offset": 8, "length": 1, "url": "https://e.x/?a=1&b=2"}),
                    json!({"type": "pre", "offset": 9, "length": 3, "language": "rust"}),
                ],
            })
        );
    }

    #[test]
    fn broken_markup_is_refused_in_telegrams_words() {
        for (source, words) in [
            ("a <b", "Unclosed start tag at byte offset 2"),
            (
                "<b>x",
                "Can't find end tag corresponding to start tag \"b\"",
            ),
            (
                "<b><i>x</b></i>",
                "Unmatched end tag at byte offset 7, expected \"</i>\", found \"</b>\"",
            ),
            ("x</b>", "Unexpected end tag at byte offset 1"),
            (
                "<h1>x</h1>",
                "Unsupported start tag \"h1\" at byte offset 0",
            ),
            ("1 < 2 >", "Empty tag name at byte offset 2"),
            (
                "<a href=x>y</a>",
                "Expected a quoted attribute value at byte offset 0",
            ),
        ] {
            assert_eq!(parse(source), Err(words.to_owned()), "{source}");
        }
    }
}
