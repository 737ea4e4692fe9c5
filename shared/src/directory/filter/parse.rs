//! The grammar (RFC 7644, section 3.4.2.2, figure 1), with `winnow`.
//!
//! Every choice is made on what comes next, so that nothing is read twice and the time is linear in the text.

use winnow::{
    Parser,
    combinator::{opt, peek},
    error::{ContextError, ErrMode},
    stream::{Stateful, Stream as _},
    token::{any, one_of, take_while},
};

use super::{Filter, Literal, Operator, Test, is_ordered};
use crate::{
    clock::Timestamp,
    directory::{
        error::{ScimError, ScimType},
        leniency::{Leniencies, Leniency},
        limits,
        path::{AttributePath, Base},
        schema::{Attribute, Kind, ResourceType, Returned},
        value::boolean,
    },
};

/// What is known while a filter is read.
#[derive(Debug)]
struct State<'s> {
    kinds: &'s [ResourceType],
    /// The multi-valued attribute within whose brackets we are.
    within: Option<&'static Attribute>,
    notes: &'s mut Leniencies,
    depth: usize,
    terms: usize,
    /// Why the filter is refused, where it is known better than by position.
    refusal: Option<String>,
}

type Input<'t, 's> = Stateful<&'t str, State<'s>>;
type Parsed<T> = Result<T, ErrMode<ContextError>>;

/// A comparison's value as it is written.
enum Written {
    Text(String),
    Number(String),
    Word(Option<bool>),
}

/// A whole filter.
pub(super) fn filter(kinds: &[ResourceType], text: &str, notes: &mut Leniencies) -> Result<Filter, ScimError> {
    if text.len() > limits::FILTER_BYTES {
        return Err(refused(format!("A filter has at most {} bytes.", limits::FILTER_BYTES)));
    }
    let state = State { kinds, within: None, notes, depth: 0, terms: 0, refusal: None };
    let mut input = Stateful { input: text.trim_matches(' '), state };
    match disjunction(&mut input) {
        Ok(filter) if input.input.is_empty() => Ok(filter),
        _ => Err(refusal(&input, text)),
    }
}

/// The filter in brackets that a text begins with, on elements of an attribute, and what follows it.
pub(in crate::directory) fn within<'t>(
    attribute: &'static Attribute,
    text: &'t str,
    notes: &mut Leniencies,
) -> Result<(Filter, &'t str), ScimError> {
    if text.len() > limits::FILTER_BYTES {
        return Err(refused(format!("A path has at most {} bytes.", limits::FILTER_BYTES)));
    }
    let state = State { kinds: &[], within: None, notes, depth: 0, terms: 0, refusal: None };
    let mut input = Stateful { input: text, state };
    match element(&mut input, attribute) {
        Ok(filter) => Ok((filter, input.input)),
        Err(_) => Err(refusal(&input, text)),
    }
}

fn refused(detail: String) -> ScimError {
    ScimError::bad(ScimType::InvalidFilter, detail)
}

fn refusal(input: &Input<'_, '_>, text: &str) -> ScimError {
    let position = text.trim_end_matches(' ').len().saturating_sub(input.input.len());
    refused(
        input.state.refusal.clone().unwrap_or_else(|| format!("This is not understood from position {position} on.")),
    )
}

fn disjunction(input: &mut Input<'_, '_>) -> Parsed<Filter> {
    several(input, "or", conjunction, Filter::Or)
}

fn conjunction(input: &mut Input<'_, '_>) -> Parsed<Filter> {
    several(input, "and", factor, Filter::And)
}

/// One part, or several with the word between them.
fn several<'t, 's>(
    input: &mut Input<'t, 's>,
    word: &'static str,
    mut part: impl FnMut(&mut Input<'t, 's>) -> Parsed<Filter>,
    join: impl Fn(Vec<Filter>) -> Filter,
) -> Parsed<Filter> {
    let first = part(input)?;
    let mut rest = Vec::new();
    while opt((spaces, keyword(word), spaces)).parse_next(input)?.is_some() {
        rest.push(part(input)?);
    }
    if rest.is_empty() {
        return Ok(first);
    }
    rest.insert(0, first);
    Ok(join(rest))
}

fn factor(input: &mut Input<'_, '_>) -> Parsed<Filter> {
    if opt('(').parse_next(input)?.is_some() {
        return bracketed(input, ')');
    }
    let negated = opt((keyword("not"), take_while(0.., ' '), '(').with_taken()).parse_next(input)?;
    if let Some((_, taken)) = negated {
        if !taken.contains(' ') {
            input.state.notes.note(Leniency::NotWithoutSpace);
        }
        return Ok(Filter::Not(Box::new(bracketed(input, ')')?)));
    }
    expression(input)
}

/// What stands within brackets, the opening one of which has been read.
fn bracketed(input: &mut Input<'_, '_>, close: char) -> Parsed<Filter> {
    input.state.depth += 1;
    if input.state.depth > limits::FILTER_DEPTH {
        return refuse(input, format!("Brackets are at most {} deep.", limits::FILTER_DEPTH));
    }
    let (_, inner, _, _) = (take_while(0.., ' '), disjunction, take_while(0.., ' '), close).parse_next(input)?;
    input.state.depth -= 1;
    Ok(inner)
}

/// A test of an attribute, or of one of its elements.
fn expression(input: &mut Input<'_, '_>) -> Parsed<Filter> {
    let name = name(input)?;
    let path = resolved(input, name)?;
    if !input.input.starts_with('[') {
        let test = test(input, path)?;
        let path = if test == Test::Present { path } else { path.compared() };
        return Ok(Filter::Term(path, test));
    }
    if path.sub.is_some() || path.base == Base::Element {
        return refuse(input, format!("'{path}' has no elements to choose from."));
    }
    let inner = element(input, path.attribute)?;
    if !input.input.starts_with('.') {
        return Ok(Filter::Element(path, Box::new(inner)));
    }
    // A comparison behind the brackets means an element that satisfies both.
    let name = sub_name(input)?;
    let Some(sub) = AttributePath::of_element(path.attribute, name) else {
        return refuse(input, format!("'{path}' has no such sub-attribute."));
    };
    let test = test(input, sub)?;
    input.state.notes.note(Leniency::ValuePathComparison);
    let mut parts = if let Filter::And(parts) = inner { parts } else { vec![inner] };
    parts.push(Filter::Term(sub, test));
    Ok(Filter::Element(path, Box::new(Filter::And(parts))))
}

/// The brackets of a value path.
fn element(input: &mut Input<'_, '_>, attribute: &'static Attribute) -> Parsed<Filter> {
    if !attribute.multi_valued || attribute.kind != Kind::Complex {
        return refuse(input, format!("'{}' has no elements to choose from.", attribute.name));
    }
    '['.parse_next(input)?;
    input.state.within = Some(attribute);
    let inner = bracketed(input, ']')?;
    input.state.within = None;
    Ok(inner)
}

fn sub_name<'t>(input: &mut Input<'t, '_>) -> Parsed<&'t str> {
    '.'.parse_next(input)?;
    take_while(1.., |c: char| c.is_ascii_alphanumeric() || "-_$".contains(c)).parse_next(input)
}

/// The text of an attribute's path: `ATTRNAME` with URN and sub-attribute, and the `$` of `$ref`.
fn name<'t>(input: &mut Input<'t, '_>) -> Parsed<&'t str> {
    peek(one_of(|c: char| c.is_ascii_alphabetic() || c == '$')).parse_next(input)?;
    take_while(1.., |c: char| c.is_ascii_alphanumeric() || "-_$.:".contains(c)).parse_next(input)
}

/// The attribute of this name, in the brackets or in one of the types.
fn resolved(input: &mut Input<'_, '_>, name: &str) -> Parsed<AttributePath> {
    let found = match input.state.within {
        Some(parent) => AttributePath::of_element(parent, name),
        None => input.state.kinds.iter().find_map(|kind| AttributePath::resolve(*kind, name)),
    };
    match found {
        // What is never told can not be asked about either.
        Some(path) if path.leaf().returned != Returned::Never => Ok(path),
        _ => refuse(input, format!("There is no attribute '{name}' to filter by.")),
    }
}

fn test(input: &mut Input<'_, '_>, path: AttributePath) -> Parsed<Test> {
    input.state.terms += 1;
    if input.state.terms > limits::FILTER_TERMS {
        return refuse(input, format!("A filter has at most {} comparisons.", limits::FILTER_TERMS));
    }
    spaces.parse_next(input)?;
    if opt(keyword("pr")).parse_next(input)?.is_some() {
        return Ok(Test::Present);
    }
    let operator = operator(input)?;
    spaces.parse_next(input)?;
    let written = written(input)?;
    let attribute = path.compared().leaf();
    match literal(attribute, operator, written, input.state.notes) {
        Some(literal) => Ok(Test::Compare(operator, literal)),
        None => refuse(input, format!("'{path}' can not be compared so with '{}'.", operator.as_str())),
    }
}

fn operator(input: &mut Input<'_, '_>) -> Parsed<Operator> {
    let word: &str = take_while(2..=2, |c: char| c.is_ascii_alphabetic()).parse_next(input)?;
    match Operator::ALL.into_iter().find(|operator| word.eq_ignore_ascii_case(operator.as_str())) {
        Some(operator) => Ok(operator),
        None => refuse(input, "There is no such operator.".to_owned()),
    }
}

/// The value, where the attribute can be compared with it in this way.
fn literal(attribute: &Attribute, operator: Operator, written: Written, notes: &mut Leniencies) -> Option<Literal> {
    use Operator::{Co, Eq, Ew, Ge, Gt, Le, Lt, Ne, Sw};
    let allowed = match operator {
        Eq | Ne => attribute.kind != Kind::Complex || matches!(written, Written::Word(None)),
        Co | Sw | Ew => matches!(attribute.kind, Kind::String | Kind::Reference),
        Gt | Ge | Lt | Le => is_ordered(attribute),
    };
    if !allowed {
        return None;
    }
    match (attribute.kind, written) {
        (_, Written::Word(None)) => matches!(operator, Eq | Ne).then_some(Literal::Null),
        (Kind::Boolean, Written::Word(Some(value))) => Some(Literal::Boolean(value)),
        (Kind::Boolean, Written::Text(text)) => {
            notes.note(Leniency::BooleanAsString);
            boolean(&text).map(Literal::Boolean)
        }
        (Kind::String | Kind::Reference | Kind::Binary, Written::Text(text)) => Some(Literal::Text(text)),
        (Kind::String, Written::Number(number)) => {
            notes.note(Leniency::NumberAsString);
            Some(Literal::Text(number))
        }
        (Kind::DateTime, Written::Text(text)) if text.parse::<Timestamp>().is_ok() => Some(Literal::Text(text)),
        _ => None,
    }
}

fn written(input: &mut Input<'_, '_>) -> Parsed<Written> {
    let next = peek(any).parse_next(input)?;
    if next == '"' {
        return string(input).map(Written::Text);
    }
    if next == '-' || next.is_ascii_digit() {
        let number: &str = take_while(1.., |c: char| c.is_ascii_digit() || "+-.eE".contains(c)).parse_next(input)?;
        return match number.parse::<serde_json::Number>() {
            Ok(number) => Ok(Written::Number(number.to_string())),
            Err(_) => refuse(input, "This is not a number as JSON has them.".to_owned()),
        };
    }
    let word: &str = take_while(1.., |c: char| c.is_ascii_alphabetic()).parse_next(input)?;
    if word.chars().any(|c| c.is_ascii_uppercase()) {
        input.state.notes.note(Leniency::LiteralCase);
    }
    if word.eq_ignore_ascii_case("null") {
        return Ok(Written::Word(None));
    }
    match boolean(word) {
        Some(value) => Ok(Written::Word(Some(value))),
        None => refuse(input, "A text to compare with stands in double quotes.".to_owned()),
    }
}

/// A JSON string.
fn string(input: &mut Input<'_, '_>) -> Parsed<String> {
    let start = input.input;
    let mut escaped = false;
    let end = start.char_indices().skip(1).find(|&(_, c)| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    });
    let Some((end, _)) = end else {
        return refuse(input, "A text has no closing quote.".to_owned());
    };
    let text = input.next_slice(end + 1);
    match serde_json::from_str(text) {
        Ok(text) => Ok(text),
        Err(_) => refuse(input, "A text is not a JSON string.".to_owned()),
    }
}

fn spaces(input: &mut Input<'_, '_>) -> Parsed<()> {
    take_while(1.., ' ').void().parse_next(input)
}

/// A word in any case, and not the beginning of a longer one.
fn keyword<'t, 's>(word: &'static str) -> impl Parser<Input<'t, 's>, (), ErrMode<ContextError>> {
    take_while(1.., |c: char| c.is_ascii_alphanumeric() || "-_$.:".contains(c))
        .verify(move |found: &str| found.eq_ignore_ascii_case(word))
        .void()
}

/// Ends the reading for a reason.
fn refuse<T>(input: &mut Input<'_, '_>, reason: String) -> Parsed<T> {
    input.state.refusal.get_or_insert(reason);
    Err(ErrMode::Cut(ContextError::new()))
}
