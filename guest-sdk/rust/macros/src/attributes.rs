//! The attributes of a class: `#[user(weight = 4, …)]`, from tokens to checked values.

use std::collections::HashSet;
use std::time::Duration;

use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, Expr, Ident, Lit, LitBool, LitInt, LitStr, Result, Token, parenthesized};

use crate::sets::{self, Set};

const KNOWN: &str = "weight, host, wait_time, execution, max_concurrent_tasks, throughput, \
                     sets, timeout, headers, cookies, redirects, retries";
/// Starts a second; above it, a pacing has no nanosecond left.
const FASTEST: f64 = 1e9;

/// What was said; what was not is the default.
#[derive(Default)]
pub(crate) struct Attributes {
    pub(crate) weight: Option<u32>,
    pub(crate) host: Option<LitStr>,
    pub(crate) wait_time: WaitTime,
    pub(crate) execution: Option<(Execution, Ident)>,
    pub(crate) max_concurrent_tasks: Option<(u32, Ident)>,
    pub(crate) throughput: Option<f64>,
    pub(crate) sets: Vec<Set>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) headers: Option<Expr>,
    pub(crate) cookies: Option<bool>,
    pub(crate) redirects: Option<u32>,
    pub(crate) retries: Option<u32>,
}

#[derive(Default)]
pub(crate) enum WaitTime {
    #[default]
    None,
    Fixed(Duration),
    Between(Duration, Duration),
    Pacing(Duration),
    Computed(Ident),
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Execution {
    Sequential,
    Weighted,
    Concurrent,
    OwnLoop,
}

impl Parse for Attributes {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut attributes = Self::default();
        settings(input, |name, input| attributes.set(name, input))?;
        Ok(attributes)
    }
}

impl Attributes {
    fn set(&mut self, name: &Ident, input: ParseStream<'_>) -> Result<()> {
        if name == "sets" {
            self.sets = sets::declared(input)?;
            return Ok(());
        }
        input.parse::<Token![=]>()?;
        match name.to_string().as_str() {
            "weight" => self.weight = Some(integer(input)?),
            "host" => self.host = Some(host(input)?),
            "wait_time" => self.wait_time = input.parse()?,
            "execution" => {
                let word: Ident = input.parse()?;
                self.execution = Some((execution(&word)?, word));
            }
            "max_concurrent_tasks" => {
                self.max_concurrent_tasks = Some((positive(input)?, name.clone()));
            }
            "throughput" => self.throughput = Some(rate(input)?),
            "timeout" => self.timeout = Some(seconds(input)?),
            "headers" => self.headers = Some(input.parse()?),
            "cookies" => self.cookies = Some(input.parse::<LitBool>()?.value),
            "redirects" => self.redirects = Some(integer(input)?),
            "retries" => self.retries = Some(integer(input)?),
            _ => {
                return Err(Error::new(
                    name.span(),
                    format!("unknown attribute `{name}`: a user class has {KNOWN}"),
                ));
            }
        }
        Ok(())
    }
}

/// Reads `name = value, …`, each name once; `set` reads from the equals sign on.
pub(crate) fn settings(
    input: ParseStream<'_>,
    mut set: impl FnMut(&Ident, ParseStream<'_>) -> Result<()>,
) -> Result<()> {
    let mut seen = HashSet::new();
    while !input.is_empty() {
        let name: Ident = input.parse()?;
        set(&name, input)?;
        if !seen.insert(name.to_string()) {
            return Err(Error::new(name.span(), format!("`{name}` is said twice")));
        }
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
    }
    Ok(())
}

impl Parse for WaitTime {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        if input.peek(syn::token::Paren) {
            return between(input);
        }
        if !input.peek(Ident) {
            return seconds(input).map(Self::Fixed);
        }
        let word: Ident = input.parse()?;
        match word.to_string().as_str() {
            "none" => Ok(Self::None),
            "computed" => Ok(Self::Computed(word)),
            "pacing" => {
                let interval;
                parenthesized!(interval in input);
                let interval = seconds(&interval)?;
                if interval.is_zero() {
                    return Err(Error::new(word.span(), "the pacing must be above 0 s"));
                }
                Ok(Self::Pacing(interval))
            }
            "throughput" => {
                let per_second;
                parenthesized!(per_second in input);
                let interval = rate(&per_second)?.recip();
                Ok(Self::Pacing(Duration::from_secs_f64(interval)))
            }
            _ => Err(Error::new(
                word.span(),
                "a wait time is a number of seconds, `(least, most)`, `pacing(seconds)`, \
                 `throughput(times a second)`, `computed` or `none`",
            )),
        }
    }
}

fn between(input: ParseStream<'_>) -> Result<WaitTime> {
    let bounds;
    let paren = parenthesized!(bounds in input);
    let bounds = Punctuated::<_, Token![,]>::parse_terminated_with(&bounds, seconds)?;
    match bounds.into_iter().collect::<Vec<_>>()[..] {
        [least, most] if least <= most => Ok(WaitTime::Between(least, most)),
        [_, _] => Err(Error::new(
            paren.span.join(),
            "the longer wait comes second",
        )),
        _ => Err(Error::new(
            paren.span.join(),
            "two numbers of seconds: `(least, most)`",
        )),
    }
}

fn execution(word: &Ident) -> Result<Execution> {
    match word.to_string().as_str() {
        "sequential" => Ok(Execution::Sequential),
        "weighted" => Ok(Execution::Weighted),
        "own_loop" => Ok(Execution::OwnLoop),
        "concurrent" if cfg!(feature = "concurrent") => Ok(Execution::Concurrent),
        "concurrent" => Err(Error::new(
            word.span(),
            "concurrent tasks need the async convention: \
             `aiotest = { version = \"…\", features = [\"concurrent\"] }`",
        )),
        _ => Err(Error::new(
            word.span(),
            "the execution is `sequential`, `weighted`, `concurrent` or `own_loop`",
        )),
    }
}

/// A whole number, 0 or more.
pub(crate) fn integer(input: ParseStream<'_>) -> Result<u32> {
    let wrong = "a whole number is needed, 0 or more";
    match input.parse::<Lit>() {
        Ok(Lit::Int(number)) => number
            .base10_parse()
            .map_err(|_| Error::new(number.span(), wrong)),
        Ok(other) => Err(Error::new(other.span(), wrong)),
        Err(error) => Err(Error::new(error.span(), wrong)),
    }
}

/// A whole number above 0.
pub(crate) fn positive(input: ParseStream<'_>) -> Result<u32> {
    let literal = input.fork().parse::<LitInt>();
    match (integer(input)?, literal) {
        (0, Ok(literal)) => Err(Error::new(literal.span(), "it must be at least 1")),
        (number, _) => Ok(number),
    }
}

/// A number with or without a fraction, and where it stands.
fn number(input: ParseStream<'_>, wrong: &str) -> Result<(f64, Lit)> {
    let literal = match input.parse::<Lit>() {
        Ok(literal) => literal,
        Err(error) => return Err(Error::new(error.span(), wrong)),
    };
    let number = match &literal {
        Lit::Int(number) => number.base10_parse()?,
        Lit::Float(number) => number.base10_parse()?,
        other => return Err(Error::new(other.span(), wrong)),
    };
    Ok((number, literal))
}

/// How often a second; above 0.
fn rate(input: ParseStream<'_>) -> Result<f64> {
    let wrong = "how often a second is needed, above 0, for example 0.5";
    let (number, literal) = number(input, wrong)?;
    // The reciprocal shall be no longer than a century either.
    if number < 3.2e-9 {
        return Err(Error::new(literal.span(), wrong));
    }
    if number > FASTEST {
        return Err(Error::new(
            literal.span(),
            "that is faster than the engine counts time",
        ));
    }
    Ok(number)
}

/// A number of seconds.
fn seconds(input: ParseStream<'_>) -> Result<Duration> {
    let wrong = "a number of seconds is needed, for example 1.5";
    let (number, literal) = number(input, wrong)?;
    // A century; far below where nanoseconds overflow.
    match number {
        ..0.0 => Err(Error::new(literal.span(), wrong)),
        0.0..3.2e9 => Ok(Duration::from_secs_f64(number)),
        _ => Err(Error::new(literal.span(), "that is longer than any run")),
    }
}

fn host(input: ParseStream<'_>) -> Result<LitStr> {
    let host: LitStr = input.parse()?;
    let value = host.value();
    if value.starts_with("http://") || value.starts_with("https://") {
        Ok(host)
    } else {
        Err(Error::new(
            host.span(),
            "a host starts with http:// or https://",
        ))
    }
}
