//! What Markdown looks like in Telegram, and that no cut breaks it.

use super::*;
use crate::markdown::render;
use proptest::prelude::*;
use simulators::telegram::visible_text;

fn html_of(markdown: &str) -> String {
    let parts = split(&render(markdown), LIMIT);
    let parts: Vec<_> = parts.into_iter().map(|part| part.html).collect();
    parts.join("\n=====\n")
}

#[test]
fn every_kind_of_markup_has_its_form() {
    for (markdown, html) in [
        ("a & b < c > d", "a &amp; b &lt; c &gt; d"),
        ("# Head\ntext", "<b>Head</b>\n\ntext"),
        (
            "**b** *i* ~~s~~ <u>u</u> `c<`",
            "<b>b</b> <i>i</i> <s>s</s> <u>u</u> <code>c&lt;</code>",
        ),
        ("***both* b**", "<b><i>both</i> b</b>"),
        ("**a `c` b**", "<b>a </b><code>c</code><b> b</b>"),
        ("one\ntwo\n\nthree", "one\ntwo\n\nthree"),
        (
            "- a\n- b\n  1. c\n  2. d\n- e\n\nend",
            "• a\n• b\n  1. c\n  2. d\n• e\n\nend",
        ),
        ("- [x] done\n- [ ] open", "• ☑ done\n• ☐ open"),
        (
            "> a\n> b\n\n> c",
            "<blockquote>a\nb</blockquote>\n\n<blockquote>c</blockquote>",
        ),
        ("> a\n>\n> b", "<blockquote>a\n\nb</blockquote>"),
        (
            "```rust\nfn a() {}\n\n  b\n```\nx",
            "<pre><code class=\"language-rust\">fn a() {}\n\n  b</code></pre>\n\nx",
        ),
        ("```\n<b>\n```", "<pre>&lt;b&gt;</pre>"),
        ("```a\"b\nx\n```", "<pre>x</pre>"),
        (
            "[t](https://e.x/?a=1&b=\"2\")",
            "<a href=\"https://e.x/?a=1&amp;b=&quot;2&quot;\">t</a>",
        ),
        ("[t](javascript:x) [l](/docs)", "t (javascript:x) l (/docs)"),
        (
            "![alt](https://e.x/i.png) ![](https://e.x/j.png)",
            "<a href=\"https://e.x/i.png\">alt</a> <a href=\"https://e.x/j.png\">https://e.x/j.png</a>",
        ),
        (
            "|a|bb|\n|-|-|\n|ccc|`d`|",
            "<pre>a   | bb\n----+---\nccc | d</pre>",
        ),
        ("a\n\n---\n\nb", "a\n\n———\n\nb"),
        ("<script>x</script>", "&lt;script&gt;x&lt;/script&gt;"),
        ("a <u>b\n\nc", "a <u>b</u>\n\nc"),
        ("", "(empty message)"),
        (" \n\n<u></u>", "(empty message)"),
    ] {
        assert_eq!(html_of(markdown), html, "{markdown}");
    }
}

#[test]
fn long_text_is_cut_at_paragraphs_before_lines_before_words() {
    let runs = |text: &str| {
        let text = text.to_owned();
        vec![Run {
            text,
            styles: vec![],
        }]
    };
    let texts = |text: &str| -> Vec<String> {
        let parts = split(&runs(text), 10);
        parts.into_iter().map(|part| part.text).collect()
    };
    assert_eq!(texts("aaaaaa\n\nb c d e"), ["aaaaaa", "b c d e"]);
    assert_eq!(texts("aaaa b\nb c d e"), ["aaaa b", "b c d e"]);
    assert_eq!(texts("aaaa bb cc dd"), ["aaaa bb", "cc dd"]);
    assert_eq!(texts("aaaaaaaaaaaa"), ["aaaaaaaaaa", "aa"]);
    // Nine units and a character of two: the pair is never torn.
    assert_eq!(texts("aaaaaaaaa👋b"), ["aaaaaaaaa", "👋b"]);
    assert_eq!(texts("aaaaaaaa\n\n\n\n    b"), ["aaaaaaaa", "    b"]);
}

#[test]
fn a_cut_code_block_is_opened_again_with_its_language() {
    let code = "let x = 1; // <&>\n".repeat(600);
    let parts = split(&render(&format!("intro\n\n```rust\n{code}```")), LIMIT);
    assert!(parts.len() > 2);
    for part in parts.iter().skip(1) {
        assert!(
            part.html
                .starts_with("<pre><code class=\"language-rust\">let")
        );
        assert!(part.html.ends_with("&lt;&amp;&gt;</code></pre>"));
    }
}

/// Text without the white space that cutting may drop.
fn solid(text: &str) -> String {
    text.split_whitespace().collect()
}

proptest! {
    #[test]
    fn parts_fit_and_together_are_the_whole(markdown in "([a-z<>&\" *_`~#\\-\\[\\]()|!\n👋é]{0,12}|\n\n|```\n|> |- ){0,60}", limit in 2..80_usize) {
        let runs = render(&markdown);
        let whole: String = runs.iter().map(|run| run.text.as_str()).collect();
        let parts = split(&runs, limit);
        prop_assert!(!parts.is_empty());
        for part in &parts {
            prop_assert!(part.text.encode_utf16().count() <= limit);
            prop_assert!(!part.text.trim().is_empty());
            prop_assert_eq!(visible_text(&part.html), Ok(part.text.clone()));
        }
        let joined: String = parts.iter().map(|part| part.text.as_str()).collect();
        prop_assert_eq!(solid(&joined), solid(&whole));
    }
}
