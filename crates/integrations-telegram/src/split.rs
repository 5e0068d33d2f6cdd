//! Cuts styled text into messages Telegram takes, and writes each as HTML that is whole by itself.

use crate::markdown::{Run, Style};

/// UTF-16 units of one message, counted after markup is parsed, as Telegram counts.
pub(crate) const LIMIT: usize = 4096;

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// With markup.
    pub(crate) html: String,
    /// The same without, for when Telegram does not take the markup.
    pub(crate) text: String,
}

/// Cuts at paragraph, line or word ends where the message would otherwise be more than half full,
/// else in the middle of a word, never inside a character.
pub(crate) fn split(runs: &[Run], limit: usize) -> Vec<Part> {
    let whole: String = runs.iter().map(|run| run.text.as_str()).collect();
    let mut parts = Vec::new();
    let mut start = 0;
    while let Some(rest) = whole.get(start..).filter(|rest| !rest.is_empty()) {
        // Blank lines at the start would be cut off by Telegram anyway; indentation is kept.
        let blank = rest.len() - rest.trim_start().len();
        let skipped = rest.get(..blank).and_then(|blank| blank.rfind('\n'));
        if let Some(at) = skipped {
            start += at + 1;
            continue;
        }
        let end = start + cut(rest, limit);
        let text = whole.get(start..end).unwrap_or_default().trim_end();
        if !text.is_empty() {
            parts.push(Part {
                html: html(runs, start, start + text.len()),
                text: text.to_owned(),
            });
        }
        start = end;
    }
    parts
}

/// How many bytes go into the next message.
fn cut(rest: &str, limit: usize) -> usize {
    let mut units = 0;
    let over = rest.char_indices().find(|(_, character)| {
        units += character.len_utf16();
        units > limit
    });
    let Some((fitting, _)) = over else {
        return rest.len();
    };
    let window = rest.get(..fitting).unwrap_or_default();
    let half = fitting / 2;
    let after =
        |found: Option<usize>, length: usize| found.map(|at| at + length).filter(|end| *end > half);
    after(window.rfind("\n\n"), 2)
        .or_else(|| after(window.rfind('\n'), 1))
        .or_else(|| after(window.rfind(' '), 1))
        .unwrap_or(fitting)
}

/// The HTML of a stretch of the whole text, every tag closed at its end.
fn html(runs: &[Run], from: usize, to: usize) -> String {
    let mut html = String::new();
    let mut open: Vec<&Style> = Vec::new();
    let mut position = 0;
    for run in runs {
        let start = from.clamp(position, position + run.text.len()) - position;
        let end = to.clamp(position, position + run.text.len()) - position;
        position += run.text.len();
        let Some(text) = run.text.get(start..end).filter(|text| !text.is_empty()) else {
            continue;
        };
        let kept = open
            .iter()
            .zip(&run.styles)
            .take_while(|(open, wanted)| **open == *wanted)
            .count();
        for style in open.drain(kept..).rev() {
            close_tag(&mut html, style);
        }
        for style in run.styles.iter().skip(kept) {
            open_tag(&mut html, style);
            open.push(style);
        }
        escape(&mut html, text);
    }
    for style in open.iter().rev() {
        close_tag(&mut html, style);
    }
    html
}

fn open_tag(html: &mut String, style: &Style) {
    match style {
        Style::Quote => html.push_str("<blockquote>"),
        Style::Bold => html.push_str("<b>"),
        Style::Italic => html.push_str("<i>"),
        Style::Underline => html.push_str("<u>"),
        Style::Strike => html.push_str("<s>"),
        Style::Code => html.push_str("<code>"),
        Style::Pre(None) => html.push_str("<pre>"),
        Style::Pre(Some(language)) => {
            html.push_str("<pre><code class=\"language-");
            escape(html, language);
            html.push_str("\">");
        }
        Style::Link(address) => {
            html.push_str("<a href=\"");
            escape(html, address);
            html.push_str("\">");
        }
    }
}

fn close_tag(html: &mut String, style: &Style) {
    html.push_str(match style {
        Style::Quote => "</blockquote>",
        Style::Bold => "</b>",
        Style::Italic => "</i>",
        Style::Underline => "</u>",
        Style::Strike => "</s>",
        Style::Code => "</code>",
        Style::Pre(None) => "</pre>",
        Style::Pre(Some(_)) => "</code></pre>",
        Style::Link(_) => "</a>",
    });
}

fn escape(html: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '&' => html.push_str("&amp;"),
            '"' => html.push_str("&quot;"),
            other => html.push(other),
        }
    }
}

#[cfg(test)]
#[path = "split_tests.rs"]
mod tests;
