//! Mutants by schemata: each place where a source file could behave differently asks at run time which mutant is at
//! work, so that one build holds them all.

use std::collections::BTreeSet;

use proc_macro2::Span;
use quote::{ToTokens, quote};
use syn::{
    BinOp, Block, Expr, ExprBinary, ExprLit, ExprMatch, ExprMethodCall, File, ImplItemFn, Item, ItemFn, ItemImpl, Lit,
    LitInt, Pat, Signature, Stmt, UnOp, parse::Parser, parse_quote, spanned::Spanned, visit_mut::VisitMut,
};

/// One change of one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mutant {
    /// Path below `shared/src`.
    pub file: String,
    pub line: usize,
    /// The function it is in.
    pub function: String,
    /// The text that is changed, on one line.
    pub from: String,
    /// What it does instead.
    pub to: String,
}

/// What answers with a boolean: methods of the standard library that are used as conditions.
const PREDICATES: [&str; 17] = [
    "all",
    "any",
    "contains",
    "contains_key",
    "ends_with",
    "eq_ignore_ascii_case",
    "is_alphanumeric",
    "is_ascii_alphabetic",
    "is_ascii_alphanumeric",
    "is_ascii_digit",
    "is_ascii_hexdigit",
    "is_empty",
    "is_none",
    "is_none_or",
    "is_ok",
    "is_some",
    "is_some_and",
];

/// Pairs of methods of which one is taken for the other.
const PAIRS: [(&str, &str); 6] = [
    ("all", "any"),
    ("is_some_and", "is_none_or"),
    ("min", "max"),
    ("min_by_key", "max_by_key"),
    ("first", "last"),
    ("starts_with", "ends_with"),
];

/// Rewrites one file; its mutants are appended to `mutants`, whose place in the list, counted from 1, is their number.
///
/// # Errors
/// If the file cannot be parsed.
pub fn file(
    path: &str,
    text: &str,
    predicates: &BTreeSet<String>,
    mutants: &mut Vec<Mutant>,
) -> Result<String, String> {
    let mut parsed: File = syn::parse_file(text).map_err(|error| format!("{path}: {error}"))?;
    let mut mutator = Mutator { path, text, predicates, mutants, functions: Vec::new() };
    mutator.visit_file_mut(&mut parsed);
    Ok(prettyplease::unparse(&parsed))
}

/// The functions of a file that answer with a boolean, and the usual methods that do.
pub fn predicates(texts: &[String]) -> BTreeSet<String> {
    let mut found: BTreeSet<String> = PREDICATES.iter().map(|name| (*name).to_owned()).collect();
    for text in texts {
        for part in text.split("fn ").skip(1) {
            let signature = part.split('{').next().unwrap_or_default();
            let name = part.split(['(', '<']).next().unwrap_or_default();
            // Something else of the same name answers with a result.
            if signature.trim_end().ends_with("-> bool") && name != "verify" {
                found.insert(name.to_owned());
            }
        }
    }
    found
}

struct Mutator<'a> {
    path: &'a str,
    text: &'a str,
    predicates: &'a BTreeSet<String>,
    mutants: &'a mut Vec<Mutant>,
    functions: Vec<String>,
}

impl Mutator<'_> {
    /// Makes a mutant; the condition under which it is at work.
    fn mutant(&mut self, place: Span, to: impl Into<String>) -> Expr {
        let source = self.text.get(place.byte_range()).unwrap_or_default();
        let from: String = source.split_whitespace().collect::<Vec<_>>().join(" ");
        self.mutants.push(Mutant {
            file: self.path.to_owned(),
            line: place.start().line,
            function: self.functions.join("::"),
            from: from.chars().take(160).collect(),
            to: to.into(),
        });
        let number = LitInt::new(&format!("{}u32", self.mutants.len()), Span::call_site());
        parse_quote!(::vestibule_switch::is(#number))
    }

    /// `now` is the boolean expression of `original` with the mutants inside of it.
    fn forced(&mut self, original: &Expr, now: &Expr) -> Expr {
        let yes = self.mutant(original.span(), "true");
        let no = self.mutant(original.span(), "false");
        parse_quote!((if #yes { true } else if #no { false } else { #now }))
    }

    fn is_predicate(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Binary(binary) => is_comparison(&binary.op),
            Expr::MethodCall(call) => self.predicates.contains(&call.method.to_string()),
            Expr::Call(call) => match &*call.func {
                Expr::Path(path) => {
                    let last = path.path.segments.last().map(|segment| segment.ident.to_string());
                    last.is_some_and(|name| self.predicates.contains(&name))
                }
                _ => false,
            },
            Expr::Macro(invoked) => invoked.mac.path.is_ident("matches"),
            Expr::Paren(inner) => self.is_predicate(&inner.expr),
            _ => false,
        }
    }

    /// A boolean that nothing else forces: a variable, a call, a block.
    fn forced_unless_predicate(&mut self, original: &Expr, now: &mut Expr) {
        if !self.is_predicate(original) && !holds_let(original) && !is_literal(original) {
            *now = self.forced(original, now);
        }
    }

    fn binary(&mut self, original: &ExprBinary, expr: &mut Expr) {
        let (left, right) = (&original.left, &original.right);
        let whole = Expr::Binary(original.clone());
        match original.op {
            BinOp::And(_) | BinOp::Or(_) if !holds_let(&whole) => {
                if let Expr::Binary(now) = expr {
                    self.forced_unless_predicate(left, &mut now.left);
                    self.forced_unless_predicate(right, &mut now.right);
                }
                let is_and = matches!(original.op, BinOp::And(_));
                let is = self.mutant(whole.span(), if is_and { "|| for &&" } else { "&& for ||" });
                let other: Expr = if is_and { parse_quote!(#left || #right) } else { parse_quote!(#left && #right) };
                *expr = parse_quote!((if #is { #other } else { #expr }));
            }
            ref op if is_comparison(op) => self.comparison(original, expr),
            BinOp::Add(_) => self.instead(&whole, expr, "- for +", &parse_quote!(#left - #right)),
            BinOp::Sub(_) => self.instead(&whole, expr, "+ for -", &parse_quote!(#left + #right)),
            BinOp::Mul(_) => self.instead(&whole, expr, "+ for *", &parse_quote!(#left + #right)),
            BinOp::Div(_) => self.instead(&whole, expr, "* for /", &parse_quote!(#left * #right)),
            BinOp::BitAnd(_) => self.instead(&whole, expr, "| for &", &parse_quote!(#left | #right)),
            BinOp::AddAssign(_) => self.instead(&whole, expr, "-= for +=", &parse_quote!(#left -= #right)),
            BinOp::SubAssign(_) => self.instead(&whole, expr, "+= for -=", &parse_quote!(#left += #right)),
            BinOp::BitOrAssign(_) => self.instead(&whole, expr, "&= for |=", &parse_quote!(#left &= #right)),
            _ => {}
        }
    }

    fn comparison(&mut self, original: &ExprBinary, expr: &mut Expr) {
        let (left, right) = (&original.left, &original.right);
        let whole = Expr::Binary(original.clone());
        let edge: Option<(&str, Expr)> = match original.op {
            BinOp::Lt(_) => Some(("<= for <", parse_quote!(#left <= #right))),
            BinOp::Le(_) => Some(("< for <=", parse_quote!(#left < #right))),
            BinOp::Gt(_) => Some((">= for >", parse_quote!(#left >= #right))),
            BinOp::Ge(_) => Some(("> for >=", parse_quote!(#left > #right))),
            _ => None,
        };
        let now = expr.clone();
        let mut out = self.forced(&whole, &now);
        if let Some((name, other)) = edge {
            self.instead(&whole, &mut out, name, &other);
            let op = &original.op;
            if is_limit(right) {
                self.instead(&whole, &mut out, "the limit plus one", &parse_quote!(#left #op (#right + 1)));
                self.instead(&whole, &mut out, "the limit minus one", &parse_quote!(#left #op (#right - 1)));
            }
        }
        *expr = out;
    }

    fn instead(&mut self, original: &Expr, expr: &mut Expr, name: &str, other: &Expr) {
        let is = self.mutant(original.span(), name);
        *expr = parse_quote!((if #is { #other } else { #expr }));
    }

    fn method(&mut self, original: &ExprMethodCall, expr: &mut Expr) {
        let name = original.method.to_string();
        let pair = PAIRS.iter().find_map(|(a, b)| {
            if name == *a {
                Some(*b)
            } else if name == *b {
                Some(*a)
            } else {
                None
            }
        });
        let whole = Expr::MethodCall(original.clone());
        let is_range = matches!(&*original.receiver, Expr::Paren(inner) if matches!(&*inner.expr, Expr::Range(_)));
        if self.is_predicate(&whole) {
            *expr = self.forced(&whole, expr);
        }
        if let Some(other) = pair.filter(|_| !is_range) {
            let mut swapped = original.clone();
            swapped.method = syn::Ident::new(other, original.method.span());
            self.instead(&whole, expr, &format!("{other} for {name}"), &Expr::MethodCall(swapped));
        }
    }

    /// `matches!` as a match in which each alternative can be left out.
    fn matches(&mut self, original: &Expr, tokens: &proc_macro2::TokenStream) -> Option<Expr> {
        let parser = |input: syn::parse::ParseStream<'_>| {
            let value: Expr = input.parse()?;
            input.parse::<syn::Token![,]>()?;
            let pattern = Pat::parse_multi_with_leading_vert(input)?;
            let guard =
                if input.parse::<Option<syn::Token![if]>>()?.is_some() { Some(input.parse::<Expr>()?) } else { None };
            input.parse::<Option<syn::Token![,]>>()?;
            Ok((value, pattern, guard))
        };
        let (mut value, pattern, mut guard) = parser.parse2(tokens.clone()).ok()?;
        self.visit_expr_mut(&mut value);
        if let Some(guard) = &mut guard {
            let before = guard.clone();
            self.visit_expr_mut(guard);
            self.forced_unless_predicate(&before, guard);
            return Some(parse_quote!((match #value { #pattern if #guard => true, _ => false })));
        }
        let alternatives: Vec<Pat> = match pattern {
            Pat::Or(or) => or.cases.into_iter().collect(),
            one => return Some(parse_quote!((match #value { #one => true, _ => false }))),
        };
        let mut arms = Vec::new();
        for alternative in alternatives {
            let name = alternative.to_token_stream().to_string();
            let is = self.mutant(original.span(), format!("without {name}"));
            arms.push(quote!(#alternative if !#is => true,));
        }
        Some(parse_quote!((match #value { #(#arms)* _ => false })))
    }

    fn arms(&mut self, original: &ExprMatch, now: &mut ExprMatch) {
        let last = original.arms.last();
        let total = last.is_some_and(|arm| arm.guard.is_none() && takes_anything(&arm.pat));
        let count = original.arms.len();
        for (at, (before, arm)) in original.arms.iter().zip(&mut now.arms).enumerate() {
            if let (Some((_, before)), Some((_, guard))) = (&before.guard, &mut arm.guard) {
                self.forced_unless_predicate(before, guard);
            }
            if !total || at + 1 == count {
                continue;
            }
            let is = self.mutant(before.pat.span(), "the arm left out");
            arm.guard = Some(match arm.guard.take() {
                Some((token, guard)) => (token, Box::new(parse_quote!(#guard && !#is))),
                None => (Default::default(), Box::new(parse_quote!(!#is))),
            });
        }
    }

    /// Statements that only have an effect are left out.
    fn statements(&mut self, block: &Block, now: &mut Block) {
        for (before, statement) in block.stmts.iter().zip(&mut now.stmts) {
            let Stmt::Expr(before, Some(_)) = before else { continue };
            let effect = match before {
                Expr::Try(_) | Expr::MethodCall(_) | Expr::Call(_) | Expr::Assign(_) => true,
                Expr::Binary(binary) => is_assignment(&binary.op),
                _ => false,
            };
            if effect {
                let is = self.mutant(before.span(), "left out");
                let kept = statement.clone();
                *statement = parse_quote!(if !#is { #kept });
            }
        }
    }

    /// The whole body replaced by the plainest values of its type.
    fn body(&mut self, signature: &Signature, block: &mut Block, original: &Block) {
        let plain = plain_values(signature);
        if let (Some(Stmt::Expr(tail, None)), true) = (original.stmts.last(), original.stmts.len() > 1) {
            let differs = |value: &Expr| value.to_token_stream().to_string() != tail.to_token_stream().to_string();
            if let [(name, value)] = &plain[..]
                && differs(value)
            {
                let is = self.mutant(tail.span(), format!("{name} at the end"));
                if let Some(Stmt::Expr(now, None)) = block.stmts.last_mut() {
                    *now = parse_quote!((if #is { #value } else { #now }));
                }
            }
        }
        // A body of one condition is forced as such.
        if let [Stmt::Expr(only, None)] = &original.stmts[..]
            && self.is_predicate(only)
        {
            return;
        }
        for (name, value) in plain.into_iter().rev() {
            let is = self.mutant(signature.ident.span(), format!("returns {name}"));
            block.stmts.insert(0, parse_quote!(if #is { return #value; }));
        }
    }

    fn function(&mut self, signature: &mut Signature, block: &mut Block) {
        signature.constness = None;
        self.functions.push(signature.ident.to_string());
        let original = block.clone();
        self.visit_block_mut(block);
        self.body(signature, block, &original);
        self.functions.pop();
    }
}

impl VisitMut for Mutator<'_> {
    fn visit_item_mut(&mut self, item: &mut Item) {
        match item {
            Item::Const(_) | Item::Static(_) | Item::Enum(_) | Item::Struct(_) | Item::Macro(_) => {}
            Item::Mod(module) if is_test(&module.attrs) => {}
            _ => syn::visit_mut::visit_item_mut(self, item),
        }
    }

    fn visit_item_impl_mut(&mut self, item: &mut ItemImpl) {
        let of = item.trait_.as_ref().and_then(|(_, path, _)| path.segments.last().map(|last| last.ident.to_string()));
        // How something is printed decides nothing.
        if matches!(of.as_deref(), Some("Display" | "Debug")) {
            return;
        }
        let name = item.self_ty.to_token_stream().to_string();
        self.functions.push(name.split([' ', '<']).next().unwrap_or_default().to_owned());
        syn::visit_mut::visit_item_impl_mut(self, item);
        self.functions.pop();
    }

    fn visit_item_fn_mut(&mut self, item: &mut ItemFn) {
        if !is_test(&item.attrs) {
            self.function(&mut item.sig, &mut item.block);
        }
    }

    fn visit_impl_item_fn_mut(&mut self, item: &mut ImplItemFn) {
        self.function(&mut item.sig, &mut item.block);
    }

    fn visit_block_mut(&mut self, block: &mut Block) {
        let original = block.clone();
        syn::visit_mut::visit_block_mut(self, block);
        self.statements(&original, block);
    }

    // Constants of types and patterns cannot ask anything.
    fn visit_type_mut(&mut self, _: &mut syn::Type) {}
    fn visit_pat_mut(&mut self, _: &mut Pat) {}
    fn visit_path_mut(&mut self, _: &mut syn::Path) {}
    fn visit_attribute_mut(&mut self, _: &mut syn::Attribute) {}

    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        let original = expr.clone();
        match expr {
            Expr::Macro(invoked) => {
                if invoked.mac.path.is_ident("matches") {
                    let tokens = invoked.mac.tokens.clone();
                    if let Some(now) = self.matches(&original, &tokens) {
                        *expr = self.forced(&original, &now);
                    }
                }
                return;
            }
            Expr::Repeat(repeat) => return self.visit_expr_mut(&mut repeat.expr),
            Expr::Const(_) => return,
            _ => syn::visit_mut::visit_expr_mut(self, expr),
        }
        match (&original, &mut *expr) {
            (Expr::Binary(binary), _) => self.binary(binary, expr),
            (Expr::MethodCall(call), _) => self.method(call, expr),
            (Expr::Call(_), now) if self.is_predicate(&original) => *now = self.forced(&original, now),
            (Expr::Unary(unary), now) if matches!(unary.op, UnOp::Not(_)) => {
                let inner = &unary.expr;
                self.instead(&original, now, "without !", &parse_quote!(!!#inner));
            }
            (Expr::Lit(ExprLit { lit: Lit::Int(number), .. }), now) => {
                if let Ok(value) = number.base10_parse::<u64>() {
                    let more = LitInt::new(&format!("{}{}", value + 1, number.suffix()), number.span());
                    self.instead(&original, now, "plus one", &parse_quote!(#more));
                }
            }
            (Expr::If(before), Expr::If(now)) => self.condition(&before.cond, &mut now.cond),
            (Expr::While(before), Expr::While(now)) => self.condition(&before.cond, &mut now.cond),
            (Expr::Match(before), Expr::Match(now)) => self.arms(before, now),
            _ => {}
        }
    }
}

impl Mutator<'_> {
    fn condition(&mut self, before: &Expr, now: &mut Expr) {
        if holds_let(before) {
            let is = self.mutant(before.span(), "false");
            *now = parse_quote!(#now && !#is);
            return;
        }
        self.forced_unless_predicate(before, now);
    }
}

fn is_comparison(op: &BinOp) -> bool {
    matches!(op, BinOp::Eq(_) | BinOp::Ne(_) | BinOp::Lt(_) | BinOp::Le(_) | BinOp::Gt(_) | BinOp::Ge(_))
}

fn is_assignment(op: &BinOp) -> bool {
    matches!(op, BinOp::AddAssign(_) | BinOp::SubAssign(_) | BinOp::BitOrAssign(_))
}

/// `_` or a name of something; a name in capitals is a variant.
fn takes_anything(pattern: &Pat) -> bool {
    match pattern {
        Pat::Wild(_) => true,
        Pat::Ident(name) => name.ident.to_string().starts_with(|c: char| c.is_ascii_lowercase()),
        _ => false,
    }
}

fn is_literal(expr: &Expr) -> bool {
    matches!(expr, Expr::Lit(_))
}

/// A named limit, or one times a number. Literal limits change as every literal does.
fn is_limit(expr: &Expr) -> bool {
    match expr {
        Expr::Path(path) => {
            path.path.get_ident().is_some_and(|name| name.to_string().starts_with("MAX_") || name == "MIN_RSA_BITS")
        }
        Expr::Binary(binary) => is_limit(&binary.left),
        _ => false,
    }
}

fn holds_let(expr: &Expr) -> bool {
    match expr {
        Expr::Let(_) => true,
        Expr::Binary(binary) => holds_let(&binary.left) || holds_let(&binary.right),
        _ => false,
    }
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| attribute.path().is_ident("cfg") || attribute.path().is_ident("test"))
}

/// What a function can answer without having done anything.
fn plain_values(signature: &Signature) -> Vec<(String, Expr)> {
    let text = match &signature.output {
        syn::ReturnType::Default => return vec![("nothing".to_owned(), parse_quote!(()))],
        syn::ReturnType::Type(_, kind) => kind.to_token_stream().to_string().replace(' ', ""),
    };
    let values: &[&str] = match text.as_str() {
        "bool" => &["true", "false"],
        "String" => &["String::new()"],
        "&str" | "&'staticstr" | "&'astr" => &["\"\""],
        text if text.starts_with("Option<") => &["None"],
        text if text.starts_with("Result<(),") => &["Ok(())"],
        text if text.starts_with("Result<bool,") => &["Ok(true)", "Ok(false)"],
        text if text.starts_with("Result<Option<") => &["Ok(None)"],
        text if text.starts_with("Result<Vec<") => &["Ok(Vec::new())"],
        text if text.starts_with("Result<String,") => &["Ok(String::new())"],
        text if text.starts_with("Vec<") => &["Vec::new()"],
        _ => &[],
    };
    values.iter().filter_map(|value| Some(((*value).to_owned(), syn::parse_str(value).ok()?))).collect()
}
