//! Rules for Rust files: what a reader must take in at once is bounded, each module says why it
//! exists, and unsafe code stays where the list of exceptions has it.

use std::collections::BTreeSet;

use anyhow::Result;
use proc_macro2::{Span, TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use super::{Finding, exceptions};

/// Code lines of a file, its test module left out.
const FILE_LINES: usize = 400;
/// Code lines of a file with everything in it, which no exception lifts.
const FILE_LINES_HARD: usize = 600;
const FUNCTION_LINES: usize = 60;
const HANDLER_LINES: usize = 20;
const ARGUMENTS: usize = 6;
const TRAIT_METHODS: usize = 10;
/// Where request handlers live.
const HANDLERS: &str = "crates/api/src/routes/";

/// Findings for one Rust file.
pub(super) fn check(path: &str, text: &str) -> Result<Vec<Finding>> {
    let file: syn::File = syn::parse_str(text)?;
    let mut lines = BTreeSet::new();
    collect(
        text.parse::<TokenStream>()
            .map_err(|error| anyhow::anyhow!("{error}"))?,
        &mut lines,
    );
    // Doc comments are tokens too.
    let code = |line: &str| !line.trim_start().starts_with("//");
    let commented = text.lines().enumerate().filter(|(_, line)| !code(line));
    for (index, _) in commented {
        lines.remove(&(index + 1));
    }
    let mut visitor = Visitor {
        path,
        lines: &lines,
        findings: Vec::new(),
        holds_unsafe: false,
    };
    visitor.file(&file);
    visitor.visit_file(&file);
    if exceptions::may_be_unsafe(path) && !visitor.holds_unsafe {
        let what = "holds no unsafe code now; remove its exception";
        visitor.findings.push(Finding::new(path, None, what));
    }
    Ok(visitor.findings)
}

/// The lines on which a token stands, inner lines of long literals included.
fn collect(tokens: TokenStream, lines: &mut BTreeSet<usize>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => {
                lines.extend([
                    group.span_open().start().line,
                    group.span_close().end().line,
                ]);
                collect(group.stream(), lines);
            }
            TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => {
                let span = token.span();
                lines.extend(span.start().line..=span.end().line);
            }
        }
    }
}

struct Visitor<'a> {
    path: &'a str,
    lines: &'a BTreeSet<usize>,
    findings: Vec<Finding>,
    holds_unsafe: bool,
}

impl Visitor<'_> {
    fn report(&mut self, span: Span, what: impl Into<String>) {
        self.findings
            .push(Finding::new(self.path, span.start().line, what));
    }

    fn file(&mut self, file: &syn::File) {
        let documented = file
            .attrs
            .iter()
            .any(|attribute| attribute.path().is_ident("doc"));
        if !documented {
            self.findings.push(Finding::new(
                self.path,
                1,
                "the module does not say with `//!` why it exists",
            ));
        }
        let tests: usize = file
            .items
            .iter()
            .filter_map(test_module)
            .map(|span| self.between(span, span))
            .sum();
        let (all, code) = (self.lines.len(), self.lines.len() - tests);
        // A test file is a test module as a whole.
        let long = code > FILE_LINES && !self.path.contains("/tests/");
        if all > FILE_LINES_HARD {
            let what = format!("{all} code lines with tests; the hard limit is {FILE_LINES_HARD}");
            self.findings.push(Finding::new(self.path, None, what));
        } else if long && !exceptions::may_be_long(self.path) {
            let what = format!("{code} code lines without tests; the limit is {FILE_LINES}");
            self.findings.push(Finding::new(self.path, None, what));
        } else if !long && exceptions::may_be_long(self.path) {
            self.findings.push(Finding::new(
                self.path,
                None,
                "is short enough now; remove its exception",
            ));
        }
    }

    fn function(&mut self, signature: &syn::Signature, block: &syn::Block) {
        let name = &signature.ident;
        let brace = block.brace_token.span;
        let edges = usize::from(brace.open().start().line != brace.close().end().line) * 2;
        let length = self
            .between(brace.open(), brace.close())
            .saturating_sub(edges);
        if length > FUNCTION_LINES {
            self.report(
                name.span(),
                format!("`{name}` has {length} lines; the limit is {FUNCTION_LINES}"),
            );
        }
        let handler = self.path.starts_with(HANDLERS) && signature.asyncness.is_some();
        if handler && length > HANDLER_LINES {
            let what =
                format!("the handler `{name}` has {length} lines; the limit is {HANDLER_LINES}");
            self.report(name.span(), what);
        }
        if signature.inputs.len() > ARGUMENTS {
            self.report(
                name.span(),
                format!("`{name}` has more than {ARGUMENTS} arguments"),
            );
        }
    }

    /// Code lines from the first line of one span to the last of another.
    fn between(&self, first: Span, last: Span) -> usize {
        self.lines
            .range(first.start().line..=last.end().line)
            .count()
    }
}

impl<'ast> Visit<'ast> for Visitor<'_> {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.function(&item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.function(&item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(block) = &item.default {
            self.function(&item.sig, block);
        }
        visit::visit_trait_item_fn(self, item);
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        let methods = item
            .items
            .iter()
            .filter(|item| matches!(item, syn::TraitItem::Fn(_)))
            .count();
        if methods > TRAIT_METHODS {
            let what = format!(
                "`{}` has {methods} methods; the limit is {TRAIT_METHODS}",
                item.ident
            );
            self.report(item.ident.span(), what);
        }
        visit::visit_item_trait(self, item);
    }

    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        let syn::Meta::List(list) = &attribute.meta else {
            return;
        };
        let mut words = list.tokens.clone().into_iter();
        let unsafe_code =
            words.any(|word| matches!(word, TokenTree::Ident(word) if word == "unsafe_code"));
        self.holds_unsafe |= unsafe_code;
        if unsafe_code && !exceptions::may_be_unsafe(self.path) {
            self.report(attribute.span(), "unsafe code is not expected in this file");
        }
    }
}

/// The span of a `#[cfg(test)]` module.
fn test_module(item: &syn::Item) -> Option<Span> {
    let syn::Item::Mod(module) = item else {
        return None;
    };
    let tests = |attribute: &syn::Attribute| {
        attribute.path().is_ident("cfg")
            && attribute
                .parse_args::<syn::Ident>()
                .is_ok_and(|word| word == "test")
    };
    module.attrs.iter().any(tests).then(|| module.span())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(path: &str, code: &str) -> Vec<String> {
        let text = format!("//! Doc.\n{code}");
        check(path, &text)
            .unwrap()
            .into_iter()
            .map(|finding| finding.to_string())
            .collect()
    }

    fn lines(count: usize) -> String {
        "    call();\n".repeat(count)
    }

    #[test]
    fn a_module_without_its_doc_fails() {
        let found = check("a.rs", "// Not a doc.\nfn f() {}\n").unwrap();
        assert_eq!(
            found,
            [Finding::new(
                "a.rs",
                1,
                "the module does not say with `//!` why it exists"
            )]
        );
    }

    #[test]
    fn a_long_file_fails_and_comments_and_tests_do_not_count() {
        let statics = |count| "static X: u8 = 1;\n".repeat(count);
        assert_eq!(
            findings(
                "a.rs",
                &(statics(400) + &"// why\n\n/// doc\n".repeat(99) + "static Y: u8 = 1;")
            )
            .len(),
            1
        );
        assert!(findings("a.rs", &(statics(400) + &"// why\n\n".repeat(99))).is_empty());
        let tests = |count| format!("#[cfg(test)]\nmod tests {{\n{}}}\n", statics(count));
        assert!(findings("a.rs", &(statics(400) + &tests(100))).is_empty());
        assert_eq!(findings("a.rs", &(statics(400) + &tests(200))).len(), 1);
        assert!(findings("crates/x/tests/a.rs", &statics(600)).is_empty());
        assert_eq!(findings("crates/x/tests/a.rs", &statics(601)).len(), 1);
    }

    #[test]
    fn a_long_function_fails() {
        let function = |count| format!("fn f() {{\n    // why\n\n{}}}\n", lines(count));
        assert!(findings("a.rs", &function(60)).is_empty());
        assert_eq!(
            findings("a.rs", &function(61)),
            ["a.rs:2: `f` has 61 lines; the limit is 60"]
        );
        assert_eq!(
            findings("a.rs", &format!("impl X {{\n{}}}", function(61))).len(),
            1
        );
        assert_eq!(
            findings("a.rs", &format!("trait X {{\n{}}}", function(61))).len(),
            1
        );
    }

    #[test]
    fn a_long_handler_fails_and_its_helpers_may_be_longer() {
        let path = "crates/api/src/routes/jobs.rs";
        assert_eq!(
            findings(path, &format!("async fn f() {{\n{}}}", lines(21))).len(),
            1
        );
        assert!(findings(path, &format!("async fn f() {{\n{}}}", lines(20))).is_empty());
        assert!(findings(path, &format!("fn f() {{\n{}}}", lines(21))).is_empty());
        assert!(
            findings(
                "crates/api/src/sse.rs",
                &format!("async fn f() {{\n{}}}", lines(21))
            )
            .is_empty()
        );
    }

    #[test]
    fn too_many_arguments_or_methods_fail() {
        assert_eq!(
            findings("a.rs", "fn f(a: A, b: A, c: A, d: A, e: A, f: A, g: A) {}").len(),
            1
        );
        let methods = |count| format!("trait T {{ {} }}", "fn f();".repeat(count));
        assert!(findings("a.rs", &methods(10)).is_empty());
        assert_eq!(findings("a.rs", &methods(11)).len(), 1);
    }

    #[test]
    fn unsafe_code_outside_the_list_fails() {
        let code = "#[expect(unsafe_code, reason = \"x\")]\nfn f() {}";
        assert_eq!(findings("crates/domain/src/lib.rs", code).len(), 1);
        assert!(findings("xtask/throwaway/src/place.rs", code).is_empty());
        assert_eq!(
            findings("xtask/throwaway/src/place.rs", "fn f() {}").len(),
            1
        );
    }
}
