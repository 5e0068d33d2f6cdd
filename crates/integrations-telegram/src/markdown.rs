//! From Markdown to stretches of styled text. Markup is written only later, when the text is cut
//! into messages, so that no cut can ever go through a tag or an entity.

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

/// How a stretch of text looks; Telegram's entities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    Quote,
    Bold,
    Italic,
    Underline,
    Strike,
    Link(String),
    Code,
    /// A code block and its language.
    Pre(Option<String>),
}

/// A stretch of text; styles from the outermost to the innermost, each at most once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) text: String,
    pub(crate) styles: Vec<Style>,
}

/// What is sent when there is nothing to say: Telegram refuses empty messages, and silence is worse.
const NOTHING: &str = "(empty message)";
/// Schemes Telegram turns into links; the address of any other is shown as text.
const LINK_SCHEMES: [&str; 5] = ["https://", "http://", "mailto:", "tel:", "tg://"];
const RULE: &str = "———";

/// Renders Markdown; never empty.
pub(crate) fn render(markdown: &str) -> Vec<Run> {
    let options =
        Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let mut writer = Writer::default();
    for event in Parser::new_ext(markdown, options) {
        writer.event(event);
    }
    if writer.runs.iter().all(|run| run.text.trim().is_empty()) {
        writer.runs = vec![Run {
            text: NOTHING.to_owned(),
            styles: vec![],
        }];
    }
    writer.runs
}

#[derive(Default)]
struct Writer {
    runs: Vec<Run>,
    styles: Vec<Style>,
    /// Line ends owed before the next text.
    gap: usize,
    /// Whether a quote began since the last text, so that two quotes do not run together.
    fresh_quote: bool,
    /// The open lists; ordered ones with their next number.
    lists: Vec<Option<u64>>,
    /// The open code block's text.
    code: Option<String>,
    table: Option<Table>,
    /// The open links and images: where their text starts, and their address.
    links: Vec<(usize, String)>,
}

#[derive(Default)]
struct Table {
    rows: Vec<Vec<String>>,
    cell: String,
}

impl Writer {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) => self.text(&text),
            Event::Code(code) => self.styled(Style::Code, &code),
            Event::Html(html) => self.text(&html),
            Event::InlineHtml(html) => self.inline_html(&html),
            Event::SoftBreak | Event::HardBreak => self.text("\n"),
            Event::Rule => {
                self.block();
                self.text(RULE);
                self.block();
            }
            Event::TaskListMarker(done) => self.text(if done { "☑ " } else { "☐ " }),
            // Extensions that are not switched on.
            Event::FootnoteReference(text) | Event::InlineMath(text) | Event::DisplayMath(text) => {
                self.text(&text);
            }
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Heading { .. } => {
                self.block();
                self.styles.push(Style::Bold);
            }
            Tag::BlockQuote(_) => {
                self.block();
                self.fresh_quote = true;
                self.styles.push(Style::Quote);
            }
            Tag::CodeBlock(kind) => {
                self.block();
                let language = match kind {
                    CodeBlockKind::Fenced(info) => language(&info),
                    CodeBlockKind::Indented => None,
                };
                self.styles.push(Style::Pre(language));
                self.code = Some(String::new());
            }
            Tag::List(first) => {
                self.line();
                self.lists.push(first);
            }
            Tag::Item => self.item(),
            Tag::Emphasis => self.styles.push(Style::Italic),
            Tag::Strong => self.styles.push(Style::Bold),
            Tag::Strikethrough => self.styles.push(Style::Strike),
            Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => {
                self.links.push((self.length(), dest_url.to_string()));
                self.styles.push(Style::Link(dest_url.into_string()));
            }
            Tag::Table(_) => {
                self.block();
                self.table = Some(Table::default());
            }
            Tag::TableHead | Tag::TableRow => {
                if let Some(table) = &mut self.table {
                    table.rows.push(Vec::new());
                }
            }
            // Paragraphs and raw HTML just hold text; the rest are extensions that are off.
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph | TagEnd::HtmlBlock => {
                // Telegram has no underline that outlives a paragraph.
                self.styles.retain(|style| *style != Style::Underline);
                self.block();
            }
            TagEnd::Heading(_) => {
                self.unstyle(&Style::Bold);
                self.block();
            }
            TagEnd::BlockQuote(_) => {
                self.unstyle(&Style::Quote);
                self.block();
            }
            TagEnd::CodeBlock => {
                let code = self.code.take().unwrap_or_default();
                self.text(code.trim_end_matches('\n'));
                self.styles.retain(|style| !matches!(style, Style::Pre(_)));
                self.block();
            }
            TagEnd::List(_) => {
                self.lists.pop();
                self.block();
            }
            TagEnd::Item => self.line(),
            TagEnd::Emphasis => self.unstyle(&Style::Italic),
            TagEnd::Strong => self.unstyle(&Style::Bold),
            TagEnd::Strikethrough => self.unstyle(&Style::Strike),
            TagEnd::Link | TagEnd::Image => self.end_link(),
            TagEnd::TableCell => {
                if let Some(table) = &mut self.table {
                    let cell = std::mem::take(&mut table.cell);
                    if let Some(row) = table.rows.last_mut() {
                        row.push(cell);
                    }
                }
            }
            TagEnd::Table => {
                let table = self.table.take().unwrap_or_default();
                self.styled(Style::Pre(None), &table.draw());
                self.block();
            }
            _ => {}
        }
    }

    fn item(&mut self) {
        self.line();
        let indent = "  ".repeat(self.lists.len().saturating_sub(1));
        let bullet = match self.lists.last_mut() {
            Some(Some(number)) => {
                *number += 1;
                format!("{indent}{}. ", *number - 1)
            }
            Some(None) | None => format!("{indent}• "),
        };
        self.text(&bullet);
    }

    fn inline_html(&mut self, html: &str) {
        match html.to_ascii_lowercase().as_str() {
            "<u>" | "<ins>" => self.styles.push(Style::Underline),
            "</u>" | "</ins>" => self.unstyle(&Style::Underline),
            "<br>" | "<br/>" | "<br />" => self.text("\n"),
            _ => self.text(html),
        }
    }

    fn end_link(&mut self) {
        let Some((start, address)) = self.links.pop() else {
            return;
        };
        let is_empty = self.length() == start;
        if is_empty {
            self.text(&address);
        }
        self.unstyle(&Style::Link(address.clone()));
        let shown = self.runs.last().is_some_and(|run| run.text == address);
        if !is_link(&address) && !address.is_empty() && !is_empty && !shown {
            self.text(&format!(" ({address})"));
        }
    }

    fn styled(&mut self, style: Style, text: &str) {
        self.styles.push(style);
        self.text(text);
        self.styles.pop();
    }

    fn text(&mut self, text: &str) {
        if let Some(code) = &mut self.code {
            code.push_str(text);
            return;
        }
        if let Some(table) = &mut self.table {
            table.cell.push_str(&text.replace('\n', " "));
            return;
        }
        if text.is_empty() {
            return;
        }
        self.pay_gap();
        let styles = effective(&self.styles);
        self.push(text, styles);
    }

    /// Writes the line ends owed; they belong to a quote only inside one.
    fn pay_gap(&mut self) {
        let gap = std::mem::take(&mut self.gap);
        let in_quote = !self.fresh_quote && self.styles.contains(&Style::Quote);
        self.fresh_quote = false;
        if gap > 0 && !self.runs.is_empty() {
            let styles = if in_quote { vec![Style::Quote] } else { vec![] };
            self.push(&"\n".repeat(gap), styles);
        }
    }

    fn push(&mut self, text: &str, styles: Vec<Style>) {
        match self.runs.last_mut() {
            Some(run) if run.styles == styles => run.text.push_str(text),
            _ => self.runs.push(Run {
                text: text.to_owned(),
                styles,
            }),
        }
    }

    /// The next text starts a block: an empty line before it, none inside lists.
    fn block(&mut self) {
        self.gap = if self.lists.is_empty() {
            2
        } else {
            self.gap.max(1)
        };
    }

    fn line(&mut self) {
        self.gap = self.gap.max(1);
    }

    fn unstyle(&mut self, style: &Style) {
        if let Some(at) = self.styles.iter().rposition(|s| s == style) {
            self.styles.remove(at);
        }
    }

    fn length(&self) -> usize {
        self.runs.iter().map(|run| run.text.len()).sum()
    }
}

impl Table {
    /// Columns aligned by their longest cell, the head underlined.
    fn draw(&self) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let line = |cells: &[String]| {
            let padded = cells
                .iter()
                .zip(&widths)
                .map(|(cell, width)| format!("{cell:<width$}"));
            padded.collect::<Vec<_>>().join(" | ").trim_end().to_owned()
        };
        let mut lines: Vec<String> = self.rows.iter().map(|row| line(row)).collect();
        let ruler: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
        lines.insert(1.min(lines.len()), ruler.join("-+-"));
        lines.join("\n")
    }
}

/// What Telegram accepts of a style stack: code stands alone, nothing comes twice.
fn effective(stack: &[Style]) -> Vec<Style> {
    let quote = stack.contains(&Style::Quote).then_some(Style::Quote);
    let code = stack
        .iter()
        .find(|style| matches!(style, Style::Pre(_)))
        .or_else(|| stack.iter().find(|style| **style == Style::Code));
    if let Some(code) = code {
        return quote.into_iter().chain([code.clone()]).collect();
    }
    let mut styles: Vec<Style> = quote.into_iter().collect();
    for style in stack {
        let known = styles
            .iter()
            .any(|known| std::mem::discriminant(known) == std::mem::discriminant(style));
        let shown = match style {
            Style::Link(address) => is_link(address),
            _ => true,
        };
        if shown && !known {
            styles.push(style.clone());
        }
    }
    styles
}

fn is_link(address: &str) -> bool {
    let lower = address.to_ascii_lowercase();
    LINK_SCHEMES.iter().any(|scheme| lower.starts_with(scheme))
}

/// The first word behind the fence, as far as it can be a language's name.
fn language(info: &str) -> Option<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "+-#._".contains(c);
    let word = info.split_whitespace().next()?;
    word.chars().all(is_part).then(|| word.to_owned())
}
